const VERSION: &str = "e1";

fn main() {
    let mut buffer = itoa::Buffer::new();
    println!("server {VERSION} @mark@ {}", buffer.format(200));
}
