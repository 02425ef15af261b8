group "default" {
  targets = ["builder"]
}

target "builder" {
  context    = "."
  dockerfile = "Dockerfile"
  target     = "builder"
}
