fn main() {
    let out = std::process::Command::new("make").args(["-s", "version"]).output().unwrap();
    println!("cargo:rustc-env=TALLY_VERSION={}", String::from_utf8(out.stdout).unwrap());
}
