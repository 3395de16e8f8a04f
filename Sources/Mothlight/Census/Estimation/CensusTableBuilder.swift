/// Fills a `CensusTable` from rows, exactly: every unit is kept. For windows and botnets that fit into memory, and for
/// tests; streams go through the rollup.
public struct CensusTableBuilder {
  fileprivate struct Key: Hashable {
    var unit: UInt64
    var fingerprint: UInt64
  }
  fileprivate struct Open {
    var key: Key
    var network: Int32
    var moved = false
    var firstWord: Int
    var words: [[UInt64]]
    var peak: UInt16 = 0
    var seen: [(identity: UInt64, first: UInt32, last: UInt32)] = []
  }
  private let firstHour: UInt32
  private let hourCount: Int
  private let sensors: [String]
  private var places: [CensusTable.Network: Int32] = [:]
  private var networks: [CensusTable.Network] = []
  private var lastNetwork: (CensusTable.Network, Int32)?
  private var tags = Shelf()
  private var identities = Shelf()
  private var contacts: [Double] = []
  private var histogram = [UInt64](repeating: 0, count: 1025)
  private var dropped: [String: UInt64] = [:]
  private var rows: UInt64 = 0
  /// Check-ins of the hour that rows are being read of, by tag.
  private var openHour: UInt32 = 0
  private var open: [Int32: UInt32] = [:]
  /// Identities kept for each tag.
  static let identitiesMost = 4

  /// - Parameter hours: rows outside are counted as dropped.
  public init(hours: ClosedRange<UInt32>, sensors: [String]) {
    firstHour = hours.lowerBound
    hourCount = Int(hours.upperBound - hours.lowerBound) + 1
    self.sensors = sensors
  }

  public mutating func add(_ row: CensusSighting) {
    rows &+= 1
    guard row.isValid else { return drop("invalid") }
    guard row.hour >= firstHour, row.hour - firstHour < UInt32(hourCount) else { return drop("outside_window") }
    let hour = Int(row.hour - firstHour)
    let network = place(of: row)
    contacts[Int(network) * hourCount + hour] += Double(row.contacts)
    let unit = row.address.isV4 ? row.address.mixed : IPAddress(high: row.address.high, low: 0).mixed
    let tag = tags.note(Key(unit: unit, fingerprint: row.fingerprint), network, hour, row, sensors.count, networks)
    noteContacts(row, Int32(tag))
    if row.identity != 0 {
      let identity = identities.note(
        Key(unit: row.identity, fingerprint: row.fingerprint), network, hour, row, sensors.count, networks)
      identities.list[identity].peak = max(identities.list[identity].peak, UInt16(clamping: row.contacts))
      tags.list[tag].noteIdentity(row.identity, UInt32(hour))
    }
  }

  /// Several rows may tell of one source in one hour: what different sensors or identities sent adds up.
  private mutating func noteContacts(_ row: CensusSighting, _ tag: Int32) {
    if row.hour != openHour {
      closeHour()
      openHour = row.hour
    }
    open[tag, default: 0] &+= row.contacts
  }

  private mutating func closeHour() {
    for (tag, contacts) in open {
      histogram[Int(min(1024, contacts))] &+= 1
      tags.list[Int(tag)].peak = max(tags.list[Int(tag)].peak, UInt16(clamping: contacts))
    }
    open.removeAll(keepingCapacity: true)
  }

  private mutating func drop(_ reason: String) { dropped[reason, default: 0] &+= 1 }

  private mutating func place(of row: CensusSighting) -> Int32 {
    let network = CensusTable.Network(system: row.system, country: row.country, timeZone: row.timeZone)
    if let last = lastNetwork, last.0 == network { return last.1 }
    let index: Int32
    if let known = places[network] {
      index = known
    } else {
      index = Int32(networks.count)
      networks.append(network)
      places[network] = index
      contacts.append(contentsOf: repeatElement(0, count: hourCount))
    }
    lastNetwork = (network, index)
    return index
  }

  public mutating func table() -> CensusTable {
    closeHour()
    var out = CensusTable(hours: firstHour...firstHour + UInt32(hourCount - 1), sensors: sensors)
    out.networks = networks
    out.contacts = contacts
    out.contactHistogram = histogram
    out.dropped = dropped
    out.rows = rows
    out.tags = Self.flatten(tags.list)
    out.identities = Self.flatten(identities.list)
    out.movedShare = tags.list.isEmpty ? 0 : Double(tags.list.count { $0.moved }) / Double(tags.list.count)
    return out
  }

  private static func flatten(_ list: [Open]) -> CensusTable.Tags {
    var out = CensusTable.Tags()
    let sensors = list.first?.words.count ?? 1
    if sensors > 1 { out.bySensor = [[UInt64]](repeating: [], count: sensors) }
    let order = list.indices.sorted {
      (list[$0].key.unit, list[$0].key.fingerprint) < (list[$1].key.unit, list[$1].key.fingerprint)
    }
    for i in order {
      let open = list[i]
      let start = out.words.count
      for w in open.words[0].indices { out.words.append(open.words.reduce(0) { $0 | $1[w] }) }
      if sensors > 1 { for s in 0..<sensors { out.bySensor[s].append(contentsOf: open.words[s]) } }
      let seen = open.seen.sorted { $0.first < $1.first }
      out.entries.append(
        CensusTable.Tags.Entry(
          unit: open.key.unit, fingerprint: open.key.fingerprint, network: open.network,
          firstWord: UInt16(open.firstWord), wordCount: UInt16(open.words[0].count), start: start, peak: open.peak,
          identities: seen.count > identitiesMost ? 255 : UInt8(seen.count),
          isReplaced: seen.count == 2 && seen[0].last < seen[1].first))
    }
    return out
  }
}

extension CensusTableBuilder {
  /// Entries and where they are.
  fileprivate struct Shelf {
    var index: [Key: Int32] = [:]
    var list: [Open] = []

    mutating func note(
      _ key: Key, _ network: Int32, _ hour: Int, _ row: CensusSighting, _ sensors: Int,
      _ networks: [CensusTable.Network]
    ) -> Int {
      let i: Int
      if let known = index[key] {
        i = Int(known)
        if list[i].network != network {
          list[i].moved = true
          // The lowest, so that the order of rows does not matter.
          if networks[Int(network)].system < networks[Int(list[i].network)].system { list[i].network = network }
        }
      } else {
        i = list.count
        list.append(Open(key, network, hour, sensors))
        index[key] = Int32(i)
      }
      list[i].set(hour, sensor: min(Int(row.sensor), max(1, sensors) - 1))
      return i
    }
  }
}

extension CensusTableBuilder.Open {
  fileprivate init(_ key: CensusTableBuilder.Key, _ network: Int32, _ hour: Int, _ sensors: Int) {
    self.key = key
    self.network = network
    firstWord = hour >> 6
    words = [[UInt64]](repeating: [0], count: max(1, sensors))
  }

  fileprivate mutating func noteIdentity(_ identity: UInt64, _ hour: UInt32) {
    if let i = seen.firstIndex(where: { $0.identity == identity }) {
      seen[i].first = min(seen[i].first, hour)
      seen[i].last = max(seen[i].last, hour)
    } else if seen.count <= CensusTableBuilder.identitiesMost {
      seen.append((identity, hour, hour))
    }
  }

  fileprivate mutating func set(_ hour: Int, sensor: Int) {
    let word = hour >> 6
    while word < firstWord {
      for s in words.indices { words[s].insert(0, at: 0) }
      firstWord -= 1
    }
    while word >= firstWord + words[0].count {
      for s in words.indices { words[s].append(0) }
    }
    words[sensor][word - firstWord] |= 1 << UInt64(hour & 63)
  }
}
