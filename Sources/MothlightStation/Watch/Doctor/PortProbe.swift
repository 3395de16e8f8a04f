import CLinux
import Foundation
import Mothlight

/// Whether a port of this machine can be had, and who has it when it cannot.
struct PortProbe {
  let address: ListenAddress
  let isStream: Bool

  /// Who holds a port.
  struct Holder: Equatable {
    var process: Int
    var name: String
    /// Whether it also holds the file that was asked about.
    var holdsFile: Bool
  }

  /// The port is bound for an instant; nobody can come to it, since it does not listen.
  /// - Returns: 0, or the kernel's reason.
  func bind() -> Int32 {
    let isV4: Int32 = address.address.isV4 ? 1 : 0
    let descriptor = clinux_socket(isV4, isStream ? 1 : 0)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    // As a server does: connections of before that linger are no reason.
    guard clinux_set_common(descriptor, isV4, 0) == 0, !isStream || clinux_set_reuse_address(descriptor) == 0 else {
      return errno
    }
    var end = clinux_end(address)
    return clinux_bind(descriptor, &end) == 0 ? 0 : errno
  }

  /// Processes with a socket at this port, as far as we may look into them.
  /// - Parameters:
  ///   - proc: where `/proc` is.
  ///   - file: a path without links in it.
  func holders(proc: String, alsoHolding file: String) -> [Holder] {
    let sockets = sockets(proc)
    guard !sockets.isEmpty else { return [] }
    return Self.names(in: proc).compactMap { Int($0) }.sorted().compactMap { process -> Holder? in
      let folder = "\(proc)/\(process)/fd"
      let open = Self.names(in: folder).compactMap { Self.target(of: "\(folder)/\($0)") }
      guard open.contains(where: { sockets.contains($0) }) else { return nil }
      let name = (try? String(contentsOfFile: "\(proc)/\(process)/comm", encoding: .utf8)) ?? "?"
      return Holder(
        process: process, name: name.trimmingCharacters(in: .whitespacesAndNewlines), holdsFile: open.contains(file))
    }
  }

  /// Sockets at this port, as the links of `/proc/PID/fd` name them (proc(5)).
  private func sockets(_ proc: String) -> Set<String> {
    let digits = String(address.port, radix: 16, uppercase: true)
    let port = ":" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    var found: Set<String> = []
    for table in isStream ? ["tcp", "tcp6"] : ["udp", "udp6"] {
      let text = (try? String(contentsOfFile: "\(proc)/net/\(table)", encoding: .utf8)) ?? ""
      for line in text.split(separator: "\n").dropFirst() {
        let words = line.split(separator: " ")
        // 0A is the state of who listens.
        guard words.count > 9, words[1].hasSuffix(port), !isStream || words[3] == "0A" else { continue }
        found.insert("socket:[\(words[9])]")
      }
    }
    return found
  }

  private static func names(in folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }

  private static func target(of link: String) -> String? {
    var room = [CChar](repeating: 0, count: 4096)
    let count = readlink(link, &room, room.count)
    guard count > 0 else { return nil }
    return String(decoding: room.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
