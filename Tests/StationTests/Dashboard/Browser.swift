import Foundation
import Glibc
import Mothlight

@testable import MothlightStation

/// A station's server on an ephemeral port of loopback, for as long as `body` runs.
struct LiveDashboard: Sendable {
  let port: Int
  let store: MemoryStore
  let board: StatusBoard

  static func run<T: Sendable>(
    store: MemoryStore = MemoryStore(), settings: DashboardSettings = DashboardSettings(),
    access: any Gatekeeper = LocalGatekeeper(), groups: [any RouteGroup] = [], tally: HTTPTally? = nil,
    registry: (any RegistryShelf)? = nil, privacy: StationPrivacy = .none,
    census: (any CensusShelf)? = nil, networks: (any NetworkDirectory)? = nil,
    board: StatusBoard = StatusBoard(at: Timestamp(seconds: 1_772_400_000)), clock: Timestamp? = nil,
    _ body: @Sendable (LiveDashboard) async throws -> T
  ) async throws -> T {
    var settings = settings
    settings.port = 0
    let server = DashboardServer(
      settings: settings, store: store, registry: registry, census: census, board: board, networks: networks,
      access: access, privacy: privacy, groups: groups, tally: tally, clock: { clock ?? Clock.now() })
    let (ports, told) = AsyncStream.makeStream(of: Int.self)
    let running = Task {
      defer { told.finish() }
      try await server.run { told.yield($0) }
    }
    var iterator = ports.makeAsyncIterator()
    guard let port = await iterator.next() else {
      try await running.value
      throw ListenError("the server ended before it listened")
    }
    do {
      let result = try await body(LiveDashboard(port: port, store: store, board: board))
      running.cancel()
      try await running.value
      return result
    } catch {
      running.cancel()
      try? await running.value
      throw error
    }
  }

  func get(_ target: String, headers: [String: String] = [:], seconds: Double = 10) async throws -> PageReply {
    try await send("GET", target, headers: headers, body: "", seconds: seconds)
  }

  func post(_ target: String, _ fields: [(String, String)], headers: [String: String] = [:]) async throws -> PageReply {
    let body = fields.map { "\(Form.encoded($0.0))=\(Form.encoded($0.1))" }.joined(separator: "&")
    let type = ["Content-Type": "application/x-www-form-urlencoded"]
    return try await send("POST", target, headers: type.merging(headers) { $1 }, body: body)
  }

  func send(
    _ method: String, _ target: String, headers: [String: String], body: String, seconds: Double = 10
  ) async throws -> PageReply {
    var fields = ["Host": "127.0.0.1:\(port)", "Connection": "close"].merging(headers) { $1 }
    if !body.isEmpty { fields["Content-Length"] = String(body.utf8.count) }
    let head = fields.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\r\n" }.joined()
    return try await raw("\(method) \(target) HTTP/1.1\r\n\(head)\r\n\(body)", seconds: seconds)
  }

  /// Sends `text` and reads until the other end closes or `seconds` are over.
  func raw(_ text: String, seconds: Double = 10) async throws -> PageReply {
    let port = port
    return try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(
          with: Result {
            let wire = try PageWire(port: port)
            try wire.send(text)
            return PageReply(wire.readAll(seconds: seconds))
          })
      }
    }
  }
}

/// A reply as it came.
struct PageReply: Sendable {
  var status = 0
  var headers: [String: String] = [:]
  var setCookies: [String] = []
  var body = ""

  init(_ octets: [UInt8]) {
    let text = String(decoding: octets, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n") else { return }
    let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
    status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      if line.lowercased().hasPrefix("set-cookie:") {
        setCookies.append(line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
      }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    body = String(text[end.upperBound...])
    if headers["transfer-encoding"] == "chunked" { body = Self.unchunked(body) }
  }

  private static func unchunked(_ text: String) -> String {
    var out: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let end = rest.firstIndex(of: 0x0d), let size = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16),
      size > 0
    {
      let start = min(rest.endIndex, end + 2)
      let stop = min(rest.endIndex, start + size)
      out += rest[start..<stop]
      rest = rest[min(rest.endIndex, stop + 2)...]
    }
    return String(decoding: out, as: UTF8.self)
  }
}

/// A blocking connection to a port of this machine.
///
/// Tasks wait for it with `wait`: a blocked thread of theirs would be one that the server lacks.
// Used by one thread at a time; its only state is a descriptor.
final class PageWire: @unchecked Sendable {
  private let descriptor: Int32

  init(port: Int) throws {
    descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else {
      close(descriptor)
      throw ListenError("cannot connect to port \(port): errno \(errno)")
    }
  }

  deinit { close(descriptor) }

  func send(_ text: String) throws {
    var octets = Array(text.utf8)[...]
    while !octets.isEmpty {
      let count = octets.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { throw ListenError("the other end closed: errno \(errno)") }
      octets = octets.dropFirst(count)
    }
  }

  /// Says that nothing more will be sent, and goes on listening.
  func end() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// What comes within `seconds`; empty when nothing came, `nil` when the other end closed.
  func read(seconds: Double) -> [UInt8]? {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&entry, 1, Int32(seconds * 1000)) > 0 else { return [] }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
    return count > 0 ? Array(buffer.prefix(count)) : nil
  }

  /// What `body` gives, from a thread of its own.
  func wait<T: Sendable>(_ body: @escaping @Sendable (PageWire) -> T) async -> T {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: body(self)) }
    }
  }

  func readAll(seconds: Double) -> [UInt8] {
    var out: [UInt8] = []
    let end = Date().addingTimeInterval(seconds)
    while Date() < end {
      guard let part = read(seconds: min(1, max(0.01, end.timeIntervalSinceNow))) else { break }
      out += part
    }
    return out
  }
}
