import { execFileSync } from "node:child_process";

export default { define: { STAMP: JSON.stringify(execFileSync("tools/stamp.sh").toString()) } };
