import CLoc
import Foundation
import Synchronization

/// libloc's database (IPFire Location; Debian package `libloc-database`): prefixes, systems and countries in one file.
///
/// - Complexity: one walk down a tree of at most 128 steps for each address, some microseconds.
public final class LocDirectory: NetworkDirectory {
  public let origin: String
  private let handle: Mutex<Handle>

  /// Pointers of libloc, which counts references without atomics.
  fileprivate final class Handle: @unchecked Sendable {  // touched under the lock only
    var context: OpaquePointer?
    var database: OpaquePointer?
    var names: [UInt32: String] = [:]

    deinit {
      if let database { loc_database_unref(database) }
      if let context { loc_unref(context) }
    }
  }

  /// Names of systems remembered: there are some 80,000.
  fileprivate static let namesMost = 1 << 17

  public init(path: String) throws(ConfigurationError) {
    try Self.check(path)
    let handle = Handle()
    guard loc_new(&handle.context) == 0, let context = handle.context else {
      throw ConfigurationError("--networks \(path): libloc does not start")
    }
    // It would write to the standard error of its own accord.
    loc_set_log_fn(context) { _, _, _, _, _, _, _ in }
    guard let file = fopen(path, "re") else { throw ConfigurationError("--networks \(path): cannot be opened") }
    // libloc maps the file and keeps no hold of the stream.
    defer { fclose(file) }
    guard loc_database_new(context, &handle.database, file) == 0, let database = handle.database else {
      throw ConfigurationError("--networks \(path): not a database that libloc can read; it may be cut short")
    }
    origin = NetworkFiles.origin(path, seconds: Int64(loc_database_created_at(database)))
    self.handle = Mutex(handle)
  }

  /// libloc trusts the offsets in the head (version 1: five tables, each with offset and length, from octet 28 on) and would
  /// read behind the end of a file that was cut.
  private static func check(_ path: String) throws(ConfigurationError) {
    guard let file = FileHandle(forReadingAtPath: path), let size = try? file.seekToEnd(),
      (try? file.seek(toOffset: 0)) != nil, let head = try? file.read(upToCount: headOctets)
    else { throw ConfigurationError("--networks \(path): cannot be read") }
    defer { try? file.close() }
    let octets = Array(head)
    guard octets.count == headOctets, octets[7] == 1 else {
      throw ConfigurationError("--networks \(path): not a libloc database of version 1")
    }
    func number(_ at: Int) -> UInt64 { octets[at..<at + 4].reduce(0) { $0 << 8 | UInt64($1) } }
    for table in 0..<5 where number(28 + table * 8) + number(32 + table * 8) > size {
      throw ConfigurationError("--networks \(path): the libloc database is cut short")
    }
  }

  private static let headOctets = 68

  public func records(of addresses: [IPAddress]) -> [NetworkRecord?] {
    handle.withLock { handle in
      addresses.map { address in handle.record(of: address) }
    }
  }
}

extension LocDirectory.Handle {
  fileprivate func record(of address: IPAddress) -> NetworkRecord? {
    guard let database else { return nil }
    // IPv4 addresses are asked for as mapped ones, which is how they are held here.
    var wide = in6_addr()
    withUnsafeMutableBytes(of: &wide) { bytes in
      bytes.storeBytes(of: address.high.bigEndian, toByteOffset: 0, as: UInt64.self)
      bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    var network: OpaquePointer?
    guard loc_database_lookup(database, &wide, &network) == 0, let network else { return nil }
    defer { loc_network_unref(network) }
    var record = NetworkRecord(prefix: Prefix(address, length: Int(loc_network_prefix(network))))
    let system = loc_network_get_asn(network)
    if system != 0 {
      record.system = system
      record.systemName = name(of: system)
    }
    // XX stands for none in it.
    if let code = loc_network_get_country_code(network).map({ String(cString: $0) }), code.utf8.count == 2, code != "XX"
    {
      record.country = code
    }
    return record.system == nil && record.country == nil ? nil : record
  }

  private func name(of system: UInt32) -> String? {
    if let known = names[system] { return known.isEmpty ? nil : known }
    var entry: OpaquePointer?
    guard loc_database_get_as(database, &entry, system) == 0, let entry else { return nil }
    defer { loc_as_unref(entry) }
    let name = loc_as_get_name(entry).map { String(cString: $0) } ?? ""
    if names.count < LocDirectory.namesMost { names[system] = name }
    return name.isEmpty ? nil : name
  }
}
