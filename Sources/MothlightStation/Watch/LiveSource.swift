import Mothlight

/// One configured instrument that gives observations until its task is cancelled.
///
/// `run` returns when the source has ended for good, and throws when it has failed: the supervisor waits and calls it again
/// (`Backoff`), so a source keeps nothing that a second call could not make anew. No source knows of another.
public protocol LiveSource: Sendable {
  /// Unique within a station; from the configuration.
  var name: String { get }
  var meter: SourceMeter { get }
  func run(into sink: any ObservationSink) async throws(SourceError)
}

/// Where sources put what they saw.
public protocol ObservationSink: Sendable {
  /// Waits for room: for sources that can, such as files.
  func send(_ batch: [Observation]) async
  /// Never waits: for live capture and datagrams. `false`: there was no room, and the caller counts the loss
  /// (`SourceMeter.drop("queue", …)`).
  func offer(_ batch: [Observation]) -> Bool
  /// The same for sources of which a part is sampled: a collector has exporters of both kinds.
  func offer(_ batch: [Observation], in lane: Observatory.Lane) -> Bool
}

extension ObservationSink {
  public func offer(_ batch: [Observation], in lane: Observatory.Lane) -> Bool { offer(batch) }
}
