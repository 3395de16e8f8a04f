/// Reads sightings from a table: the CSV door of the census.
///
/// The first line names the columns, in any order: `hour` and `ip` are needed; `sensor`, `asn`, `cc`, `tz`, `fp`,
/// `id`, `contacts` and `valid` may be missing. `hour` is a number of hours (since 1970, or since anything else: then
/// the times of the report begin in 1970), seconds since 1970, or RFC 3339. `fp` and `id` are any text. Plain, gzip
/// or zstd.
public final class SightingFile {
  /// What was read and what was not.
  public struct Summary: Sendable, Hashable {
    public var rows: UInt64 = 0
    /// Lines that are no rows, and the first of them.
    public var refused: UInt64 = 0
    public var firstRefused: String?
    /// The file ends inside a line.
    public var isCut = false
  }

  private enum Column: String, CaseIterable {
    case hour, sensor, ip, asn, cc, tz, fp, id, contacts, valid
  }

  public let name: String
  public private(set) var summary = Summary()
  /// In the order in which they came.
  public private(set) var sensors: [String] = []
  private let lines: TextLines
  private let columns = ColumnTable()
  private var places: [Column: Int] = [:]
  private let separator: UInt8

  /// - Throws: `SourceError` when it cannot be opened, is empty, or its first line does not name the columns.
  public init(_ window: ByteWindow, name: String) throws(SourceError) {
    self.name = name
    lines = TextLines(window)
    guard let head = try lines.next() else {
      throw SourceError(.empty, "\(name): empty; a table of sightings is needed")
    }
    let text = String(decoding: head, as: UTF8.self)
    separator = text.contains("\t") ? 0x09 : text.contains(";") && !text.contains(",") ? 0x3b : 0x2c
    columns.split(head, at: separator)
    for i in 0..<columns.count {
      let word = String(decoding: columns.column(i, of: head), as: UTF8.self)
      if let column = Column(rawValue: Self.trimmed(word).lowercased()) { places[column] = i }
    }
    guard places[.hour] != nil, places[.ip] != nil else {
      throw SourceError(
        .unknownFormat,
        "\(name):1: no table of sightings: the first line must name the columns "
          + "hour,sensor,ip,asn,cc,tz,fp,id,contacts,valid (hour and ip at least)")
    }
  }

  private static func trimmed(_ text: String) -> String {
    String(
      text.drop { $0 == " " || $0 == "\"" || $0 == "\u{feff}" }.reversed().drop { $0 == " " || $0 == "\"" }.reversed())
  }

  /// Calls `body` for each row.
  /// - Parameter progress: called now and then with the octets read.
  public func read(
    progress: (() -> Void)? = nil, _ body: (CensusSighting) -> Void
  ) throws(SourceError) {
    while let line = try lines.next() {
      if line.isEmpty { continue }
      columns.split(line, at: separator)
      if let row = row(line) {
        summary.rows &+= 1
        body(row)
      } else {
        summary.refused &+= 1
        if summary.firstRefused == nil {
          summary.firstRefused =
            "\(name):\(lines.number): no row (hour or address cannot be read, or too many sensors)\(lines.cutNote)"
        }
      }
      if lines.number & 0xffff == 0 { progress?() }
    }
    summary.isCut = lines.isUnterminated
    summary.refused &+= lines.tooLong
  }

  private func field(_ column: Column, _ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard let place = places[column] else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    var field = columns.column(place, of: line)
    while let first = field.first, first == 0x20 || first == 0x22 {
      field = UnsafeRawBufferPointer(rebasing: field[1...])
    }
    while let last = field.last, last == 0x20 || last == 0x22 {
      field = UnsafeRawBufferPointer(rebasing: field[..<(field.count - 1)])
    }
    return field
  }

  private func row(_ line: UnsafeRawBufferPointer) -> CensusSighting? {
    guard let hour = Self.hour(field(.hour, line)), let address = IPAddress(ascii: field(.ip, line)),
      let sensor = sensor(field(.sensor, line))
    else { return nil }
    let contacts = field(.contacts, line)
    return CensusSighting(
      hour: hour, sensor: sensor, address: address, system: Self.system(field(.asn, line)),
      country: CountryCode(String(decoding: field(.cc, line), as: UTF8.self)), timeZone: Self.zone(field(.tz, line)),
      fingerprint: Self.hash(field(.fp, line)), identity: Self.hash(field(.id, line)),
      contacts: contacts.isEmpty ? 1 : UInt32(clamping: ASCIINumber.unsigned(contacts) ?? 1),
      isValid: Self.isTrue(field(.valid, line)))
  }

  /// Hours since 1970, or since the generator's beginning; from 1e8 on they are seconds. Else RFC 3339.
  static func hour(_ text: UnsafeRawBufferPointer) -> UInt32? {
    if let number = ASCIINumber.unsigned(text) {
      return UInt32(exactly: number >= 100_000_000 ? number / 3600 : number)
    }
    if let time = ASCIINumber.iso8601(text) { return UInt32(exactly: time.hour) }
    return nil
  }

  private func sensor(_ text: UnsafeRawBufferPointer) -> UInt8? {
    // Most rows are of the sensor of the row before; names are short.
    for (i, known) in sensors.enumerated() where known.utf8.elementsEqual(text) { return UInt8(i) }
    guard sensors.count < TupleSketch.sensorsMost else { return nil }
    sensors.append(String(decoding: text.prefix(255), as: UTF8.self))
    return UInt8(sensors.count - 1)
  }

  /// `64512` or `AS64512`; anything else is unknown.
  private static func system(_ text: UnsafeRawBufferPointer) -> UInt32 {
    let isPrefixed = text.count > 2 && text[0] & 0xdf == 0x41 && text[1] & 0xdf == 0x53
    let digits = isPrefixed ? UnsafeRawBufferPointer(rebasing: text[2...]) : text
    return ASCIINumber.unsigned(digits).flatMap { UInt32(exactly: $0) } ?? 0
  }

  /// Hours east of UTC, rounded down: `5`, `-3.5`, `+05:30`.
  private static func zone(_ text: UnsafeRawBufferPointer) -> Int8 {
    var isWest = false
    var hours = 0
    var hasPart = false
    var isWhole = true
    for (i, octet) in text.enumerated() {
      switch octet {
      case 0x2d where i == 0: isWest = true
      case 0x2b where i == 0: break
      case 0x30...0x39:
        if isWhole { hours = min(99, hours * 10 + Int(octet - 0x30)) } else if octet != 0x30 { hasPart = true }
      case 0x2e, 0x3a: isWhole = false
      default: return 0
      }
    }
    let east = isWest ? -(hours + (hasPart ? 1 : 0)) : hours
    return (-14...14).contains(east) ? Int8(east) : 0
  }

  private static let nothings = ["-", "None", "none", "null", "nan", "NaN", "NA"]

  /// 0 for what says nothing.
  private static func hash(_ text: UnsafeRawBufferPointer) -> UInt64 {
    guard !text.isEmpty, !nothings.contains(where: { $0.utf8.elementsEqual(text) }) else { return 0 }
    return SipHash.hash(text, key: (0x6669_6e67_6572, 0x7072_696e_7473)) | 1
  }

  private static func isTrue(_ text: UnsafeRawBufferPointer) -> Bool {
    guard let first = text.first else { return true }
    // 0, false, no, f, n
    return first != 0x30 && first | 0x20 != 0x66 && first | 0x20 != 0x6e
  }
}
