import Foundation

@testable import Mothlight

/// Writes small files of the MaxMind DB format 2.0 (https://maxmind.github.io/MaxMind-DB/), for tests only.
struct MaxMindFixture {
  enum Value {
    case text(String)
    case number(UInt32)
    case short(UInt16)
    case long(UInt64)
    case map([(String, Value)])
    case list([Value])
  }

  /// Children of a node: another node, a place in the data section, or nothing.
  private enum Record {
    case none
    case node(Int)
    case data(Int)
  }

  private var nodes: [(Record, Record)] = [(.none, .none)]
  private var data: [UInt8] = []
  var isWide = true
  /// 2024-05-06T00:00:00Z.
  var built: UInt64 = 1_714_953_600

  /// - Parameter length: as written; IPv4 lies at ::/96 of a wide file.
  mutating func add(_ prefix: String, _ value: Value) {
    guard let prefix = Prefix(prefix) else { return }
    let place = data.count
    data += Self.encoded(value)
    let v4 = prefix.address.isV4
    let bits: [Bool] = (0..<128).map { i in
      let word = i < 64 ? prefix.address.high : prefix.address.low
      let isMapping = v4 && i < 96
      return !isMapping && word >> UInt64(63 - i % 64) & 1 == 1
    }
    let path = v4 ? (isWide ? 0 : 96)..<(96 + prefix.length) : 0..<prefix.length
    insert(Array(bits[path]), .data(place))
  }

  private mutating func insert(_ bits: [Bool], _ leaf: Record) {
    var node = 0
    for (i, bit) in bits.enumerated() {
      let isLast = i == bits.count - 1
      if isLast {
        if bit { nodes[node].1 = leaf } else { nodes[node].0 = leaf }
        return
      }
      if case .node(let next) = bit ? nodes[node].1 : nodes[node].0 {
        node = next
        continue
      }
      nodes.append((.none, .none))
      if bit { nodes[node].1 = .node(nodes.count - 1) } else { nodes[node].0 = .node(nodes.count - 1) }
      node = nodes.count - 1
    }
  }

  var octets: [UInt8] {
    var out: [UInt8] = []
    for (left, right) in nodes { for record in [left, right] { out += Self.bytes(number(record), 4) } }
    out += [UInt8](repeating: 0, count: 16) + data + [0xab, 0xcd, 0xef] + Array("MaxMind.com".utf8)
    out += Self.encoded(
      .map([
        ("binary_format_major_version", .short(2)), ("binary_format_minor_version", .short(0)),
        ("build_epoch", .long(built)), ("database_type", .text("Test")),
        ("description", .map([("en", .text("made by a test"))])), ("ip_version", .short(isWide ? 6 : 4)),
        ("languages", .list([.text("en")])), ("node_count", .number(UInt32(nodes.count))),
        ("record_size", .short(32)),
      ]))
    return out
  }

  private func number(_ record: Record) -> UInt64 {
    switch record {
    case .none: UInt64(nodes.count)
    case .node(let node): UInt64(node)
    case .data(let place): UInt64(nodes.count + 16 + place)
    }
  }

  private static func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
  }

  /// Sizes below 285 are all that a test needs.
  private static func encoded(_ value: Value) -> [UInt8] {
    func control(_ type: UInt8, _ size: Int) -> [UInt8] {
      let short = UInt8(min(29, size))
      return (type > 7 ? [short, type - 7] : [type << 5 | short]) + (size < 29 ? [] : [UInt8(min(255, size - 29))])
    }
    switch value {
    case .text(let text): return control(2, min(284, text.utf8.count)) + Array(text.utf8.prefix(284))
    case .short(let n): return control(5, 2) + bytes(UInt64(n), 2)
    case .number(let n): return control(6, 4) + bytes(UInt64(n), 4)
    case .long(let n): return control(9, 8) + bytes(n, 8)
    case .map(let fields):
      return control(7, fields.count) + fields.flatMap { encoded(.text($0.0)) + encoded($0.1) }
    case .list(let items): return control(11, items.count) + items.flatMap(encoded)
    }
  }

  /// Writes the file into a folder of its own and removes it after `body`.
  static func withFile<T>(_ octets: [UInt8], _ body: (String) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mothlight-networks-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "test.mmdb")
    try Data(octets).write(to: file)
    return try body(file.path(percentEncoded: false))
  }
}

/// A directory made of a list, for detectors.
struct ListedNetworks: NetworkDirectory {
  var origin = "a list of a test"
  var records: [(prefix: Prefix, system: UInt32, country: String)]
  func records(of addresses: [IPAddress]) -> [NetworkRecord?] {
    addresses.map { address in
      records.first { $0.prefix.contains(address) }.map {
        NetworkRecord(prefix: $0.prefix, system: $0.system, country: $0.country)
      }
    }
  }
}
