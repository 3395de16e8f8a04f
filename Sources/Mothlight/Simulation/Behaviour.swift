/// One program on one machine: called at its time, it says what conversations begin and when it wants to be called again.
protocol Behaviour: Sendable {
  /// Mean seconds between the machine's start and the program's first call.
  var bootDelay: Double { get }
  /// Seconds over which the first call of a machine that was already on is spread.
  var phase: Double { get }
  /// Appends conversations that start at `time` or later; returns the next call or `nil` for never.
  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double?
}

extension Behaviour {
  var bootDelay: Double { 30 }
  var phase: Double { 600 }
}
