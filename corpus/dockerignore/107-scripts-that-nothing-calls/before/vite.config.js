// tools/tag.sh makes the tags, see https://example.org/pier/tools/tag.sh
export default { define: { HELP: "make sure that it runs" } };
