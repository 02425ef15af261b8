#[test]
fn sums() {}
