#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Known names, addresses and prints with source, date and expiry. Immutable once made, so shards share it.
public struct Registry: Sendable {
  public private(set) var lists: [IndicatorList] = []
  /// Names by FNV-1a of their octets from the right, so that one walk over a name tries every parent domain.
  private var domains: [UInt64: Int32] = [:]
  private var domainFilter = HashFilter()
  private var addresses: [IPAddress: Int32] = [:]
  private var endpoints: [IPAddress: Int32] = [:]
  private var prefixes: [Prefix: Int32] = [:]
  private var prefixLengths: [Int] = []
  private var prints: [Print: Int32] = [:]
  private var entries: [Entry] = []

  private struct Print: Hashable {
    var kind: Indicator.Kind
    var value: String
  }

  /// Indicators under one key form a chain, as lists overlap.
  private struct Entry: Sendable {
    var list: Int32
    var indicator: Int32
    var next: Int32
  }

  /// One indicator that matched, with the list that carries it.
  public struct Match: Sendable, Hashable {
    /// Index into `lists`, then into its `indicators`: a key for counting.
    public var list: Int32
    public var position: Int32
  }

  private enum Bound {
    /// Octets of a file of indicators; 1.6 M trails are about 80 MB.
    static let fileOctets = 256 << 20
    /// Matches of one value: lists overlap, but not without end.
    static let matches = 16
  }

  /// Holds the built-in lists only.
  public init() { self = Self.builtin }

  /// Holds exactly `lists`.
  public init(lists: [IndicatorList]) {
    for list in lists { add(list) }
  }

  private static let builtin = Registry(lists: BuiltinIndicators.lists)

  /// The built-in lists and those of the files at `paths`.
  /// - Throws: `ConfigurationError` with path and line.
  public static func load(paths: [String]) throws(ConfigurationError) -> Registry {
    var registry = Registry()
    for path in paths {
      registry.add(try IndicatorList(text: try read(path), path: path))
    }
    return registry
  }

  public func list(of match: Match) -> IndicatorList { lists[Int(match.list)] }
  public func indicator(of match: Match) -> Indicator { lists[Int(match.list)].indicators[Int(match.position)] }

  /// Whether any flow can match; when not, flows need no look-up at all.
  public var hasAddresses: Bool { !addresses.isEmpty || !endpoints.isEmpty || !prefixes.isEmpty }
  public var hasDomains: Bool { !domains.isEmpty }
  public var hasPrints: Bool { !prints.isEmpty }

  /// Indicators equal to `name` or a parent of it, the most specific first.
  /// - Complexity: one pass over the octets and one hash probe per label.
  public func matches(domain name: String) -> [Match] {
    guard !domains.isEmpty, name.utf8.count <= 1024 else { return [] }
    var name = name
    return name.withUTF8 { matches(octets: $0.last == 0x2e ? UnsafeBufferPointer(rebasing: $0.dropLast()) : $0) }
  }

  private func matches(octets: UnsafeBufferPointer<UInt8>) -> [Match] {
    var found: [Match] = []
    var hash = Self.seed
    var i = octets.count
    while i > 0 {
      i &-= 1
      if octets[i] == 0x2e, domainFilter.mayHold(hash) {
        probe(hash, octets[(i &+ 1)...], &found)
      }
      hash = Self.mix(hash, octets[i])
    }
    if domainFilter.mayHold(hash) { probe(hash, octets[...], &found) }
    found.reverse()
    return found
  }

  private func probe(_ hash: UInt64, _ tail: Slice<UnsafeBufferPointer<UInt8>>, _ found: inout [Match]) {
    guard let first = domains[hash] else { return }
    for match in chain(first) where found.count < Bound.matches {
      let value = indicator(of: match).value.utf8
      if value.count == tail.count, zip(value, tail).allSatisfy({ $0 == Self.lower($1) }) { found.append(match) }
    }
  }

  /// Indicators for an address with any port and, unless `port` is `nil`, for that port; prefixes that hold it come last.
  public func matches(address: IPAddress, port: UInt16?) -> [Match] {
    var found: [Match] = []
    if let first = addresses[address] { found += chain(first) }
    if let port, let first = endpoints[address] {
      let text = Self.endpointText(address, port)
      found += chain(first).filter { indicator(of: $0).value == text }
    }
    for bits in prefixLengths {
      let length = address.isV4 ? bits - 96 : bits
      guard length >= 0, let first = prefixes[Prefix(address, length: length)] else { continue }
      found += chain(first)
    }
    return found
  }

  /// Whether a flow to `address` may match on some port; the probe made once per new peer.
  public func mayMatch(_ address: IPAddress) -> Bool {
    if addresses[address] != nil || endpoints[address] != nil { return true }
    return !prefixes.isEmpty && !matches(address: address, port: nil).isEmpty
  }

  /// Indicators of a print kind that equal `value`; user agents exactly, the rest in any case.
  public func matches(_ kind: Indicator.Kind, _ value: String) -> [Match] {
    guard !prints.isEmpty, let first = prints[Print(kind: kind, value: kind == .userAgent ? value : value.lowercased())]
    else {
      return []
    }
    return Array(chain(first))
  }

  static func endpointText(_ address: IPAddress, _ port: UInt16) -> String {
    address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)"
  }
}

extension Registry {
  private mutating func add(_ list: IndicatorList) {
    let number = Int32(clamping: lists.count)
    lists.append(list)
    for (position, indicator) in list.indicators.enumerated() {
      let entry = Int32(clamping: entries.count)
      entries.append(Entry(list: number, indicator: Int32(clamping: position), next: -1))
      switch indicator.kind {
      case .domain: Self.link(entry, &entries, &domains, Self.hash(indicator.value))
      case .address:
        if let address = IPAddress(indicator.value) { Self.link(entry, &entries, &addresses, address) }
      case .endpoint:
        if let end = Indicator.endpoint(indicator.value) { Self.link(entry, &entries, &endpoints, end.address) }
      case .prefix:
        if let prefix = Prefix(indicator.value) { Self.link(entry, &entries, &prefixes, prefix) }
      case .ja3, .ja4, .certificate, .userAgent:
        Self.link(entry, &entries, &prints, Print(kind: indicator.kind, value: indicator.value))
      case .url, .hash: break
      }
    }
    prefixLengths = Set(prefixes.keys.map(\.bits)).sorted(by: >)
    domainFilter = HashFilter(domains.keys)
  }

  private static func link<Key: Hashable>(
    _ entry: Int32, _ entries: inout [Entry], _ table: inout [Key: Int32], _ key: Key
  ) {
    entries[Int(entry)].next = table.updateValue(entry, forKey: key) ?? -1
  }

  private func chain(_ first: Int32) -> [Match] {
    var out: [Match] = []
    var i = Int(first)
    while i >= 0, out.count < Bound.matches * 16 {
      out.append(Match(list: entries[i].list, position: entries[i].indicator))
      i = Int(entries[i].next)
    }
    return out
  }

  private static let seed: UInt64 = 0xcbf2_9ce4_8422_2325

  private static func mix(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(lower(byte))) &* 0x100_0000_01b3 }

  private static func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte }

  private static func hash(_ name: String) -> UInt64 { name.utf8.reversed().reduce(seed, mix) }

  private static func read(_ path: String) throws(ConfigurationError) -> String {
    guard let file = fopen(path, "rb") else { throw ConfigurationError("\(path): \(String(cString: strerror(errno)))") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&block, 1, block.count, file)
      guard count > 0 else { break }
      bytes += block[..<count]
      guard bytes.count <= Bound.fileOctets else {
        throw ConfigurationError("\(path): larger than \(Bound.fileOctets) octets")
      }
    }
    guard ferror(file) == 0 else { throw ConfigurationError("\(path): cannot be read") }
    return String(decoding: bytes, as: UTF8.self)
  }
}
