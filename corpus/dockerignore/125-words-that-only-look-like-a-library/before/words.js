export const words = "dulwich,robust,rough,rugged,rusty".split(",");
export const shaders = { pbr: true };
