fn main() { println!("left e1 @mark@"); }
