import Synchronization

/// Remembers answers, so that an address that comes again costs one hash probe.
///
/// For callers that ask about the same addresses over and over, such as a sinkhole; detectors ask once.
public final class CachedNetworks: NetworkDirectory {
  private let directory: any NetworkDirectory
  private let limit: Int
  private let state = Mutex(State())

  private struct State {
    var known: [IPAddress: NetworkRecord?] = [:]
    var forgotten: UInt64 = 0
  }

  /// Addresses remembered by default: 65,536 × some 150 B, 10 MB.
  public static let addressesMost = 1 << 16

  public init(_ directory: any NetworkDirectory, limit: Int = CachedNetworks.addressesMost) {
    self.directory = directory
    self.limit = max(1, limit)
  }

  public var origin: String { directory.origin }
  /// Answers forgotten because the cache was full.
  public var forgotten: UInt64 { state.withLock { $0.forgotten } }

  public func records(of addresses: [IPAddress]) -> [NetworkRecord?] {
    let missing = state.withLock { state in
      Array(Set(addresses.filter { state.known[$0] == nil })).sorted()
    }
    let fresh = missing.isEmpty ? [:] : Dictionary(uniqueKeysWithValues: zip(missing, directory.records(of: missing)))
    return state.withLock { state in
      let answers = addresses.map { address -> NetworkRecord? in
        if let known = state.known[address] { return known }
        return fresh[address].flatMap { $0 }
      }
      if state.known.count + fresh.count > limit {
        state.forgotten &+= UInt64(state.known.count)
        state.known.removeAll(keepingCapacity: true)
      }
      for (address, record) in fresh where state.known.count < limit { state.known[address] = .some(record) }
      return answers
    }
  }
}
