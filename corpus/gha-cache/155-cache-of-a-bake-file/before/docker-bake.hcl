target "db" {
  context    = "db"
  cache-from = ["type=gha"]
  cache-to   = ["type=gha,mode=max"]
}
