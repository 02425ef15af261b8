fn main() { println!("right e1 @mark@"); }
