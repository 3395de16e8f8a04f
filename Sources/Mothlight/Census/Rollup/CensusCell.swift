/// What is known of one country's part of one system within one period.
public struct CensusCell: Sendable, Hashable {
  public var country: CountryCode
  /// Number of the autonomous system; 0: not known.
  public var system: UInt32
  /// Units of valid addresses.
  public var sketch: HyperLogLog
  /// Check-ins, by sensor.
  public var contacts: [UInt64]
  /// Rows, by sensor: one for each address, fingerprint and identity.
  public var rows: [UInt64]

  /// Distinct addresses (IPv6: /64 networks), about.
  public var addresses: Double { sketch.estimate }
}

/// Addresses of one country within one minute.
public struct CensusMinute: Sendable, Hashable {
  /// Whole UTC minutes since 1970.
  public var minute: UInt64
  public var country: CountryCode
  public var sketch: HyperLogLog
  /// Check-ins, by sensor.
  public var contacts: [UInt64]
}

extension CellTable {
  /// In order of country and system; lists by sensor have `sensors` places.
  func cells(sensors: Int) -> [CensusCell] {
    keys.indices.sorted { keys[$0] < keys[$1] }.map { cell in
      func places(_ numbers: [UInt64]) -> [UInt64] {
        (0..<sensors).map { $0 < sensorPlaces ? numbers[cell * sensorPlaces + $0] : 0 }
      }
      return CensusCell(
        country: Self.country(keys[cell]), system: Self.system(keys[cell]), sketch: sketches[cell],
        contacts: places(contacts), rows: places(rows))
    }
  }
}
