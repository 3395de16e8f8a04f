import Crypto

/// The octets of a spool segment (docs/spool.md): a header, blocks of records chained by SHA-256, and a signed seal.
enum SpoolFormat {
  static let magic: [UInt8] = Array("MOTHSPL1".utf8)
  static let version: UInt16 = 1
  static let headerOctets = 192
  static let sensorOctets = 64
  static let hashOctets = 32
  static let signatureOctets = 64
  static let blockMark: UInt8 = 0x42
  static let sealMark: UInt8 = 0x53
  /// Mark, length of the payload, number of records.
  static let blockHeadOctets = 9
  /// Mark, records of the segment, end time, signature.
  static let sealOctets = 1 + 8 + 8 + signatureOctets
  /// Largest payload believed; the writer stays below a hundredth of it.
  static let payloadOctetsMost = 16 << 20
  /// Largest segment believed: it is read into memory, and the writer's default is a sixteenth of it.
  static let segmentOctetsMost = 1 << 30

  /// Sightings stay; samples hold raw octets and are deleted after a while, so each has a chain of its own.
  enum Chain: UInt16, CaseIterable, Sendable {
    case sightings, samples
    var name: String { self == .sightings ? "sightings" : "samples" }
  }

  struct Header: Equatable {
    var chain: Chain
    var sequence: UInt64
    var start: Timestamp
    /// Chain hash at the end of the segment before; zeros for the first.
    var previous: [UInt8]
    /// Ed25519 (RFC 8032).
    var publicKey: [UInt8]
    var sensor: String

    func encoded() -> [UInt8] {
      var out = SpoolOctets()
      out.append(SpoolFormat.magic)
      out.fixed(SpoolFormat.version)
      out.fixed(chain.rawValue)
      out.fixed(UInt32(0))
      out.fixed(sequence)
      out.fixed(UInt64(bitPattern: start.nanoseconds))
      out.append(previous)
      out.append(publicKey)
      let name = Array(sensor.utf8.prefix(SpoolFormat.sensorOctets))
      out.fixed(UInt16(name.count))
      out.append(name)
      out.append([UInt8](repeating: 0, count: SpoolFormat.headerOctets - out.bytes.count))
      return out.bytes
    }

    /// `nil` when the octets are no header of this version.
    init?(_ bytes: some Collection<UInt8>) {
      var cursor = SpoolCursor(bytes.prefix(SpoolFormat.headerOctets))
      guard bytes.count >= SpoolFormat.headerOctets, cursor.take(8).map({ $0 == SpoolFormat.magic }) == true,
        cursor.fixed(UInt16.self) == SpoolFormat.version, let chain = cursor.fixed(UInt16.self).flatMap(Chain.init),
        cursor.fixed(UInt32.self) != nil, let sequence = cursor.fixed(UInt64.self),
        let start = cursor.fixed(UInt64.self), let previous = cursor.take(SpoolFormat.hashOctets),
        let key = cursor.take(SpoolFormat.hashOctets), let length = cursor.fixed(UInt16.self),
        Int(length) <= SpoolFormat.sensorOctets, let name = cursor.take(Int(length))
      else { return nil }
      self.init(
        chain: chain, sequence: sequence, start: Timestamp(nanoseconds: Int64(bitPattern: start)), previous: previous,
        publicKey: key, sensor: String(decoding: name, as: UTF8.self))
    }

    init(chain: Chain, sequence: UInt64, start: Timestamp, previous: [UInt8], publicKey: [UInt8], sensor: String) {
      self.chain = chain
      self.sequence = sequence
      self.start = start
      self.previous = previous
      self.publicKey = publicKey
      self.sensor = sensor
    }
  }

  static func hash(_ parts: [UInt8]...) -> [UInt8] {
    var digest = SHA256()
    for part in parts { digest.update(data: part) }
    return Array(digest.finalize())
  }

  static func blockHead(_ payload: Int, _ records: Int) -> [UInt8] {
    var out = SpoolOctets()
    out.append([blockMark])
    out.fixed(UInt32(truncatingIfNeeded: payload))
    out.fixed(UInt32(truncatingIfNeeded: records))
    return out.bytes
  }

  /// What the seal's signature is over.
  static func sealed(_ head: [UInt8], records: UInt64, end: Timestamp) -> [UInt8] {
    var out = SpoolOctets()
    out.append(Array("mothlight spool seal 1".utf8))
    out.append(head)
    out.fixed(records)
    out.fixed(UInt64(bitPattern: end.nanoseconds))
    return out.bytes
  }

  static func fileName(_ chain: Chain, _ sequence: UInt64, _ suffix: String) -> String {
    "\(pad(Int(clamping: sequence), 8))-\(chain.name).\(suffix)"
  }
}
