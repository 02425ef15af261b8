fn main() {
    let mut buffer = itoa::Buffer::new();
    println!("{} {}", include_str!("greeting.txt").trim(), buffer.format(1));
}
