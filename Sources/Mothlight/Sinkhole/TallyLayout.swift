import Glibc

/// Where things are in the tally's memory: a page of facts, the words, IPv4 entries, IPv6 entries, and in a
/// file the rows on their way to the spool.
struct TallyLayout {
  static let wordsOffset = 4096
  /// Entries begin on a 2 MiB boundary, so that huge pages hold nothing else.
  static let entriesOffset = 2 << 20
  let v6Offset: Int
  let inFlightOffset: Int?
  let octets: Int
  private let slots: (v4: Int, v6: Int)

  private static let magic: UInt64 = 0x594c_4c41_5448_544d
  private static let version: UInt64 = 2

  init(_ settings: CheckInTally.Settings) {
    slots = (SourceTable<UInt32>.slots(for: settings.sourcesV4), SourceTable<UInt64>.slots(for: settings.sourcesV6))
    v6Offset = Self.entriesOffset + SourceTable<UInt32>.octets(for: settings.sourcesV4)
    let end = v6Offset + SourceTable<UInt64>.octets(for: settings.sourcesV6)
    inFlightOffset = settings.path == nil ? nil : end
    octets = end + (settings.path == nil ? 0 : RowsInFlight.octets)
  }

  struct Opened {
    var memory: TallyMemory
    var seed: UInt64
    var baseHour: Int64
    var quarantined: String?
    var unkept: String?
  }

  /// Opens what the settings ask for; in memory when there is no room for a file that may be missing.
  static func open(
    _ settings: CheckInTally.Settings, hour: Int64
  ) throws(ConfigurationError) -> (TallyLayout, Opened) {
    let layout = TallyLayout(settings)
    do throws(ConfigurationError) { return (layout, try layout.open(settings.path, hour: hour)) } catch {
      guard settings.isPathOptional, settings.path != nil else { throw error }
      var inMemory = settings
      inMemory.path = nil
      let layout = TallyLayout(inMemory)
      var opened = try layout.open(nil, hour: hour)
      opened.unkept = error.message
      return (layout, opened)
    }
  }

  /// Opens or makes the memory. A file that is no tally, or one of another time or size, is put aside, never overwritten.
  func open(_ path: String?, hour: Int64) throws(ConfigurationError) -> Opened {
    var memory = try TallyMemory(octets: octets, path: path)
    var quarantined: String?
    if memory.isReopened, let path, facts(memory, hour: hour) == nil {
      let aside = "\(path).damaged"
      guard rename(path, aside) == 0 else {
        throw ConfigurationError("tally: \(path): is damaged and cannot be moved: \(String(cString: strerror(errno)))")
      }
      memory = try TallyMemory(octets: octets, path: path)
      quarantined = aside
    }
    if memory.isReopened, let (seed, base) = facts(memory, hour: hour) {
      return Opened(memory: memory, seed: seed, baseHour: base, quarantined: nil)
    }
    let seed = UInt64.random(in: .min ... .max)
    let values = [Self.magic, Self.version, UInt64(slots.v4), UInt64(slots.v6), seed, UInt64(bitPattern: hour)]
    // The magic goes last: a file without it is not believed.
    for place in values.indices.reversed() {
      memory.base.storeBytes(of: values[place], toByteOffset: place * 8, as: UInt64.self)
    }
    return Opened(memory: memory, seed: seed, baseHour: hour, quarantined: quarantined)
  }

  private func facts(_ memory: TallyMemory, hour: Int64) -> (seed: UInt64, baseHour: Int64)? {
    let values = (0..<6).map { memory.base.load(fromByteOffset: $0 * 8, as: UInt64.self) }
    let base = Int64(bitPattern: values[5])
    guard values[0] == Self.magic, values[1] == Self.version, values[2] == UInt64(slots.v4),
      values[3] == UInt64(slots.v6), base <= hour, hour &- base < 60_000
    else { return nil }
    return (values[4], base)
  }
}
