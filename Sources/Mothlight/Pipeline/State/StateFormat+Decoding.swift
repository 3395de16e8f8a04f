import Crypto

extension RollingState {
  /// Reads a whole file. Nothing in it is believed before the checksum agrees, and nothing after it without a check: a file
  /// made by an enemy has a checksum too.
  /// - Returns: the state and the generation that stands in it.
  static func decode(_ file: [UInt8]) throws(StateDefect) -> (state: RollingState, generation: UInt64) {
    var cursor = StateCursor(file)
    guard file.count >= StateFormat.headerOctets + StateFormat.checksumOctets else {
      if file.count >= 8, try cursor.take(UInt64.self) != StateFormat.magic { throw .foreign }
      throw .damaged("it ends in its header")
    }
    guard try cursor.take(UInt64.self) == StateFormat.magic else { throw .foreign }
    let version = try cursor.take(UInt32.self)
    guard version <= StateFormat.version else { throw .newer(version) }
    guard version == StateFormat.version else { throw .damaged("there was no state version \(version)") }
    var state = RollingState()
    state.runs = try cursor.take()
    let generation = try cursor.take(UInt64.self)
    guard try cursor.take(UInt64.self) == UInt64(file.count) else { throw .damaged("its length is not what it says") }
    let body = file.count - StateFormat.checksumOctets
    guard SHA256.hash(data: file[..<body]).elementsEqual(file[body...]) else {
      throw .damaged("its checksum does not agree")
    }
    cursor.end = body
    try state.decodeBody(&cursor)
    guard cursor.left == 0 else { throw .damaged("octets follow its last record") }
    return (state, generation)
  }

  private mutating func decodeBody(_ cursor: inout StateCursor) throws(StateDefect) {
    first = try cursor.take()
    last = try cursor.take()
    days = try cursor.take()
    let hostCount = try cursor.count(StateFormat.hostOctets, most: Limits.rememberedHosts)
    let nameCount = try cursor.count(StateFormat.nameOctets, most: Limits.rememberedNames)
    let destinationCount = try cursor.count(StateFormat.destinationOctets, most: Limits.rememberedDestinations)
    let pairCount = try cursor.count(StateFormat.pairOctets, most: Limits.rememberedPairs)
    let timeCount = try cursor.count(
      StateFormat.timeOctets, most: Limits.rememberedPairs * RollingState.startsKept)
    let inputCount = try cursor.count(StateFormat.inputOctets, most: Limits.rememberedInputs)
    evicted.pairs = try cursor.take()
    evicted.hosts = try cursor.take()
    evicted.destinations = try cursor.take()
    evicted.names = try cursor.take()
    evicted.expiredPairs = try cursor.take()
    _ = try cursor.take(UInt64.self)
    hosts.reserveCapacity(hostCount)
    for _ in 0..<hostCount {
      let host = try cursor.host()
      if let before = hosts.last, before.address >= host.address { throw .damaged("its hosts are not in order") }
      hosts.append(host)
    }
    names.reserveCapacity(nameCount)
    for _ in 0..<nameCount {
      let name = try cursor.name()
      if let before = names.last, !before.text.isBefore(name.text) { throw .damaged("its names are not in order") }
      names.append(name)
    }
    destinations.reserveCapacity(destinationCount)
    for _ in 0..<destinationCount {
      let next = RememberedDestination(address: try cursor.address(), seen: try cursor.acquaintance())
      if let before = destinations.last, before.address >= next.address {
        throw .damaged("its destinations are not in order")
      }
      destinations.append(next)
    }
    try decodePairs(pairCount, timeCount, &cursor)
    inputs.reserveCapacity(inputCount)
    for _ in 0..<inputCount { inputs.append(try cursor.input()) }
  }

  private mutating func decodePairs(
    _ count: Int, _ timeCount: Int, _ cursor: inout StateCursor
  ) throws(StateDefect) {
    pairs.reserveCapacity(count)
    times.reserveCapacity(timeCount)
    for _ in 0..<count {
      var pair = try cursor.pair()
      guard pair.host < hosts.count, pair.name == RememberedPair.noName || pair.name < names.count else {
        throw .damaged("a pair belongs to no host")
      }
      if let before = pairs.last,
        (before.host, before.peer, before.port, before.transport) >= (pair.host, pair.peer, pair.port, pair.transport)
      {
        throw .damaged("its pairs are not in order")
      }
      guard pair.timesCount <= UInt32(Self.startsKept), times.count + Int(pair.timesCount) <= timeCount else {
        throw .damaged("a pair has too many starts")
      }
      pair.timesAt = UInt32(clamping: times.count)
      for i in 0..<Int(pair.timesCount) {
        let time = try cursor.take(UInt32.self)
        if i > 0, let before = times.last, before > time { throw .damaged("starts are not in order") }
        times.append(time)
      }
      pairs.append(pair)
    }
    guard times.count == timeCount else { throw .damaged("its pairs have fewer starts than it says") }
  }
}

/// Reads little-endian records; every step checks that the octets are there.
struct StateCursor {
  private let bytes: [UInt8]
  private var position = 0
  /// Where the records end.
  var end: Int

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    end = bytes.count
  }

  var left: Int { end - position }

  mutating func take<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type = T.self) throws(StateDefect) -> T {
    let size = MemoryLayout<T>.size
    guard left >= size else { throw .damaged("it ends in the middle of a record") }
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: T.self) }
    position += size
    return T(littleEndian: value)
  }

  /// A number of records that the rest of the file can hold.
  mutating func count(_ octets: Int, most: Int) throws(StateDefect) -> Int {
    let count = Int(try take(UInt32.self))
    guard count <= most, count <= left / octets else { throw .damaged("a table is larger than the file") }
    return count
  }

  mutating func float() throws(StateDefect) -> Float { Float(bitPattern: try take(UInt32.self)) }

  mutating func moments() throws(StateDefect) -> Pair.Moments {
    Pair.Moments(kept: try float(), try float(), try float())
  }

  mutating func address() throws(StateDefect) -> IPAddress {
    IPAddress(high: try take(UInt64.self), low: try take(UInt64.self))
  }

  mutating func acquaintance() throws(StateDefect) -> Acquaintance {
    Acquaintance(first: try take(), last: try take(), days: try take(), users: try take(), accused: try take())
  }

  mutating func host() throws(StateDefect) -> RememberedHost {
    var host = RememberedHost(try address())
    host.first = try take()
    host.last = try take()
    host.days = try take()
    host.newestHour = try take()
    host.hours = try take()
    host.outboundFlows = try take()
    host.lookups = try take()
    host.mailReceived = try take()
    host.lookupsServed = try take()
    host.names = try take()
    _ = try take(UInt64.self)
    return host
  }

  mutating func name() throws(StateDefect) -> RememberedName {
    let seen = try acquaintance()
    let length = Int(try take(UInt8.self))
    guard left >= length else { throw .damaged("it ends in the middle of a name") }
    guard let text = String(validating: bytes[position..<position + length], as: UTF8.self), !text.isEmpty else {
      throw .damaged("a name is no text")
    }
    position += length
    return RememberedName(text: text, seen: seen)
  }

  mutating func pair() throws(StateDefect) -> RememberedPair {
    var pair = RememberedPair(
      host: try take(), peer: try address(), port: try take(), transport: try take(), service: try take(),
      name: try take())
    pair.first = try take()
    pair.last = try take()
    pair.days = try take()
    pair.counts.starts = try take()
    pair.counts.failed = try take()
    pair.counts.answered = try take()
    pair.counts.guessed = try take()
    pair.counts.octetsOut = try take()
    pair.counts.octetsIn = try take()
    pair.counts.packetsOut = try take()
    pair.counts.packetsIn = try take()
    pair.counts.sizesOut = try moments()
    pair.counts.sizesIn = try moments()
    if pair.counts.sizesOut.count != pair.counts.sizesIn.count {
      // They are of the same conversations: what says otherwise tells nothing.
      (pair.counts.sizesOut, pair.counts.sizesIn) = (Pair.Moments(), Pair.Moments())
    }
    for i in 0..<3 {
      pair.recent[i].began = try take()
      pair.recent[i].last = try take()
      pair.recent[i].port = try take()
      pair.recent[i].hasEnded = try take(UInt16.self) != 0
    }
    pair.timesCount = try take()
    return pair
  }

  mutating func input() throws(StateDefect) -> KnownInput {
    KnownInput(
      head: try take(), octets: try take(), print: InputPrint(high: try take(), low: try take()),
      records: try take(), day: try take())
  }
}
