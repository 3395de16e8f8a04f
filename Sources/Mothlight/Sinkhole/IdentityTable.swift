import Glibc

/// Which machines the sources of the hour under way told apart: hash of identity by source and botnet, with check-ins.
///
/// In fixed memory beside the tally, in a file of its own where the tally has one. Entries of a source are hashed to one place, as in
/// `SourceTable`; they leave with the source's row.
/// - Complexity: O(1) expected; 24 octets a slot, seven eighths can be in use.
final class IdentityTable {
  private struct Entry {
    var key: UInt64 = 0
    var identity: UInt64 = 0
    /// Number of the botnet, and in the uppermost bit whether `key` is an IPv4 address.
    var place: UInt16 = 0
    var hour: UInt16 = 0
    /// 0: the slot is free.
    var count: UInt32 = 0
  }

  /// Machines behind all addresses within an hour: 24 MiB.
  static let slotsDefault = 1 << 20
  private static let headOctets = 4096
  private static let magic: UInt64 = 0x3144_4954_4854_4d4d

  private let memory: TallyMemory
  private let entries: UnsafeMutablePointer<Entry>
  private let slots: Int
  private let seed: UInt64
  private(set) var count = 0
  /// Without a place: the table was full, or the source had too many already.
  private(set) var refused: UInt64 = 0

  /// - Parameters:
  ///   - seed: of the tally whose rows these belong to; a file of another one is begun anew.
  ///   - path: when it cannot be used, the hour's identities do not survive the process, and that is all.
  init(slots wanted: Int, path: String?, seed: UInt64, baseHour: Int64) throws(ConfigurationError) {
    let slots = max(1024, 1 << (Int.bitWidth - max(1, wanted - 1).leadingZeroBitCount))
    self.slots = slots
    self.seed = seed
    let octets = Self.headOctets + slots * MemoryLayout<Entry>.stride
    let opened: TallyMemory
    if let path, let file = try? TallyMemory(octets: octets, path: path) {
      opened = file
    } else {
      opened = try TallyMemory(octets: octets, path: nil)
    }
    memory = opened
    entries = (opened.base + Self.headOctets).bindMemory(to: Entry.self, capacity: slots)
    let head = [Self.magic, UInt64(slots), seed, UInt64(bitPattern: baseHour)]
    let isOurs = head.indices.allSatisfy { opened.base.load(fromByteOffset: $0 * 8, as: UInt64.self) == head[$0] }
    if isOurs {
      rebuild()
    } else {
      memset(opened.base, 0, octets)
      for i in head.indices.reversed() { opened.base.storeBytes(of: head[i], toByteOffset: i * 8, as: UInt64.self) }
    }
  }

  /// A process that ended while it took something out left an entry twice, or one where nobody looks for it.
  private func rebuild() {
    let kept = (0..<slots).map { entries[$0] }.filter { $0.count > 0 }
    entries.update(repeating: Entry(), count: slots)
    for entry in kept { add(entry, summing: false) }
    refused = 0
  }

  private func slot(_ key: UInt64, _ place: UInt16) -> Int {
    Int(truncatingIfNeeded: mix64(key ^ seed ^ UInt64(place) &* 0x9e37_79b9_7f4a_7c15)) & (slots &- 1)
  }

  private static func place(_ botnet: UInt16, isV4: Bool) -> UInt16 { botnet & 0x7fff | (isV4 ? 0x8000 : 0) }

  /// One check-in that carried `identity`.
  func note(_ identity: UInt64, of key: UInt64, isV4: Bool, botnet: UInt16, hour: UInt16) {
    add(
      Entry(key: key, identity: identity, place: Self.place(botnet, isV4: isV4), hour: hour, count: 1), summing: true)
  }

  private func add(_ new: Entry, summing: Bool) {
    var i = slot(new.key, new.place)
    var others = 0
    while entries[i].count > 0 {
      if entries[i].key == new.key, entries[i].place == new.place {
        if entries[i].identity == new.identity, entries[i].hour == new.hour {
          if summing {
            if entries[i].count < .max { entries[i].count &+= 1 }
          } else {
            entries[i].count = max(entries[i].count, new.count)
          }
          return
        }
        others &+= 1
      }
      i = (i &+ 1) & (slots &- 1)
    }
    guard count < slots / 8 * 7, others < Sighting.identitiesMost else {
      refused &+= 1
      return
    }
    entries[i] = new
    count &+= 1
  }

  /// Takes out what a source has shown in an hour, in order of identity; what is left of earlier hours goes, too.
  func take(_ key: UInt64, isV4: Bool, botnet: UInt16, hour: UInt16) -> [IdentityCount] {
    guard count > 0 else { return [] }
    let place = Self.place(botnet, isV4: isV4)
    var out: [IdentityCount] = []
    var i = slot(key, place)
    while entries[i].count > 0 {
      guard entries[i].key == key, entries[i].place == place, entries[i].hour <= hour else {
        i = (i &+ 1) & (slots &- 1)
        continue
      }
      if entries[i].hour == hour { out.append(IdentityCount(identity: entries[i].identity, count: entries[i].count)) }
      remove(i)
    }
    return out.sorted { $0.identity < $1.identity }
  }

  /// Closes the gap, so that another entry may stand at `index` then.
  private func remove(_ index: Int) {
    let mask = slots &- 1
    var hole = index
    var j = index
    while true {
      j = (j &+ 1) & mask
      guard entries[j].count > 0 else { break }
      let ideal = slot(entries[j].key, entries[j].place)
      if (j &- ideal) & mask >= (j &- hole) & mask {
        entries[hole] = entries[j]
        hole = j
      }
    }
    entries[hole] = Entry()
    count &-= 1
  }
}
