pub fn aim() {}
