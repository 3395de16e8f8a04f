public enum EvidenceLevel: UInt8, Comparable, Sendable {
  case connected, shaped, recognised, repeated
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
public enum Visitor: String, Sendable, CaseIterable { case scanner, crawler, sandbox, researcher, referer, hosting }
public struct Sighting: Sendable {
  public var source: IPAddress
  public var sourcePort: UInt16
  public var botnet: String
  public var hour: Int
  public var first: Timestamp
  public var last: Timestamp
  public var count: UInt64
  public var level: EvidenceLevel
  public var visitor: Visitor?
  public var factor: UInt32
  public var rule: String
}
public struct CheckIn: Sendable {
  public var source: IPAddress
  public var prefix: [UInt8]
  public var family: String
  public var rule: String?
  public var level: EvidenceLevel
  public var text: String
}
public enum SpoolRecord: Sendable {
  case sighting(Sighting)
  case sample(CheckIn)
  case notice(Timestamp, String)
}
public protocol SpoolSink: AnyObject {
  func append(_ record: SpoolRecord)
  func flush(now: Timestamp)
}
