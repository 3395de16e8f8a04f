import ArgumentParser

struct Simulate: ParsableCommand {
  func run() throws {}
}
struct Evaluate: ParsableCommand {
  func run() throws {}
}
