//! Says what it runs on.

use std::env::consts::{ARCH, OS};

fn main() {
    let bits = usize::BITS;
    println!("@mark@ {OS}/{ARCH}, {} bits", itoa::Buffer::new().format(bits));
}
