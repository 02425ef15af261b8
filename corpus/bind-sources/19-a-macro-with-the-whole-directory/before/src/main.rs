#[derive(rust_embed::Embed)]
#[folder = "."]
#[include = "*.txt"]
struct Lists;

fn main() {
    println!(".");
}
