/// Why sketches cannot be read or put together. The texts name the place and what to do.
public enum SketchError: Error, Sendable, Hashable {
  /// What was read is no sketch, or was cut or changed; the offset is in octets from its start.
  case damaged(at: Int, String)
  /// Written by a later program.
  case unsupportedVersion(UInt16)
  /// Made under different secrets, so the same address has two hashes.
  case differentKeys
  /// Two counters of different sizes.
  case differentPrecision(Int, Int)
  /// A secret is 16 octets that are not all the same.
  case badSecret
  /// More sensors than a sketch can tell apart.
  case tooManySensors(Int)
  /// A file could not be read or written; the text names it and the system's reason.
  case file(String)
}

extension SketchError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .damaged(let at, let what): "the sketch is damaged at octet \(at): \(what); take it from its sensor again"
    case .unsupportedVersion(let version):
      "the sketch has version \(version), which this program does not know; use the program that wrote it"
    case .differentKeys: "the sketches were made under different secrets; give all sensors the same one"
    case .differentPrecision(let a, let b): "the counters have precision \(a) and \(b); use one of them everywhere"
    case .badSecret: "a secret is 16 octets, not all the same; make one with a random generator"
    case .tooManySensors(let count):
      "\(count) sensors are more than the \(TupleSketch.sensorsMost) that a sketch can tell apart; merge them in groups"
    case .file(let text): text
    }
  }
}
