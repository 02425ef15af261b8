fn main() {
    let _ = sqlx::query!("SELECT 1 AS one");
}
