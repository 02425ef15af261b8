target "worker" {
  context    = "worker"
  cache-from = ["type=gha,scope=worker"]
  cache-to   = ["type=gha,mode=max,scope=worker"]
}
