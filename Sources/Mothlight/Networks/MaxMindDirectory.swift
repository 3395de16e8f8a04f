import CMaxMind
import Foundation

/// A file of the MaxMind DB format 2.0: GeoLite2 and GeoIP2 of systems, providers, countries and cities, and files of others
/// that use the same names of fields.
///
/// - Complexity: one walk down a tree of at most 128 steps for each address, below a microsecond.
public final class MaxMindDirectory: NetworkDirectory {
  public let origin: String
  private let file: File

  /// The mapped file; it is never written after it was opened, and libmaxminddb looks up without state of its own.
  private final class File: @unchecked Sendable {  // read-only after `init`
    let database = UnsafeMutablePointer<MMDB_s>.allocate(capacity: 1)
    private var isOpen = false

    init(path: String) throws(ConfigurationError) {
      database.initialize(to: MMDB_s())
      let status = MMDB_open(path, UInt32(MMDB_MODE_MMAP), database)
      guard status == MMDB_SUCCESS else {
        throw ConfigurationError("--networks \(path): \(String(cString: MMDB_strerror(status)))")
      }
      isOpen = true
    }

    deinit {
      if isOpen { MMDB_close(database) }
      database.deinitialize(count: 1)
      database.deallocate()
    }
  }

  public init(path: String) throws(ConfigurationError) {
    file = try File(path: path)
    origin = NetworkFiles.origin(path, seconds: Int64(clamping: file.database.pointee.metadata.build_epoch))
  }

  public func records(of addresses: [IPAddress]) -> [NetworkRecord?] { addresses.map(record) }

  private func record(of address: IPAddress) -> NetworkRecord? {
    var status: Int32 = 0
    var found = address.withSocketAddress { MMDB_lookup_sockaddr(file.database, $0, &status) }
    guard status == MMDB_SUCCESS, found.found_entry else { return nil }
    let isWide = file.database.pointee.metadata.ip_version == 6
    let length = address.isV4 && isWide ? max(0, Int(found.netmask) - 96) : Int(found.netmask)
    var record = NetworkRecord(prefix: Prefix(address, length: length))
    record.system = number(&found.entry, "autonomous_system_number") ?? text(&found.entry, "asn").flatMap(Self.number)
    record.systemName =
      text(&found.entry, "autonomous_system_organization") ?? text(&found.entry, "as_name")
      ?? text(&found.entry, "organization")
    record.country =
      text(&found.entry, "country", "iso_code") ?? text(&found.entry, "registered_country", "iso_code")
      ?? text(&found.entry, "country_code")
    return record.system == nil && record.systemName == nil && record.country == nil ? nil : record
  }

  /// `AS64500` or `64500`.
  private static func number(_ text: String) -> UInt32? {
    UInt32(text.uppercased().hasPrefix("AS") ? text.dropFirst(2) : text[...])
  }

  private func number(_ entry: inout MMDB_entry_s, _ path: String...) -> UInt32? {
    guard let value = value(&entry, path) else { return nil }
    return switch Int32(value.type) {
    case MMDB_DATA_TYPE_UINT32: value.uint32
    case MMDB_DATA_TYPE_UINT16: UInt32(value.uint16)
    case MMDB_DATA_TYPE_UINT64: UInt32(exactly: value.uint64)
    default: nil
    }
  }

  /// Cleaned of control characters where it is shown, like all text from outside.
  private func text(_ entry: inout MMDB_entry_s, _ path: String...) -> String? {
    guard let value = value(&entry, path), Int32(value.type) == MMDB_DATA_TYPE_UTF8_STRING,
      let bytes = value.utf8_string, value.data_size > 0
    else { return nil }
    let octets = UnsafeRawBufferPointer(start: bytes, count: min(Int(value.data_size), Limits.textOctets))
    return String(decoding: octets, as: UTF8.self)
  }

  private func value(_ entry: inout MMDB_entry_s, _ path: [String]) -> MMDB_entry_data_s? {
    var data = MMDB_entry_data_s()
    let copies = path.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    var names = copies.map { UnsafePointer<CChar>($0) } + [nil]
    let status = names.withUnsafeMutableBufferPointer { MMDB_aget_value(&entry, &data, $0.baseAddress) }
    return status == MMDB_SUCCESS && data.has_data ? data : nil
  }
}

extension IPAddress {
  /// The address as C libraries take it.
  func withSocketAddress<T>(_ body: (UnsafePointer<sockaddr>) -> T) -> T {
    func bound<S>(_ value: S) -> T {
      withUnsafePointer(to: value) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body) }
    }
    guard isV4 else {
      var wide = sockaddr_in6()
      wide.sin6_family = sa_family_t(AF_INET6)
      withUnsafeMutableBytes(of: &wide.sin6_addr) { $0.copyBytes(from: networkBytes) }
      return bound(wide)
    }
    var narrow = sockaddr_in()
    narrow.sin_family = sa_family_t(AF_INET)
    narrow.sin_addr.s_addr = v4.bigEndian
    return bound(narrow)
  }
}
