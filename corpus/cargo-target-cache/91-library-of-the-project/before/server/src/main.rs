fn main() {
    scribe_core::parse()
}
