#[derive(Embed)]
#[folder = "dist"]
struct Pages;

fn main() {}
