fn main() {
    for file in std::fs::read_dir(".").unwrap().flatten() {
        print!(".");
        println!("{}: {:?}", ".", file.path());
    }
}
