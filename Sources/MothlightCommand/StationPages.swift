import Foundation
import Mothlight
import MothlightStation
import MothlightStore

/// Pages, API and metrics of a station, and who may see them.
struct StationPages: Sendable {
  /// What they show.
  struct Rooms: Sendable {
    var store: any Store
    var file: SQLiteStore
    var census: CensusDesk?
    var board: StatusBoard
    var networks: (any NetworkDirectory)?
    var privacy: StationPrivacy
  }

  let server: DashboardServer
  private let address: ListenAddress
  private let identity: TLSIdentity?
  private let log: StationLog

  /// - Throws: when it would be seen beyond this machine without TLS or without a user.
  init(_ serving: StationConfiguration.Serving, _ folder: StationFolder, _ rooms: Rooms, _ log: StationLog) async throws
  {
    self.log = log
    address = serving.listen
    var settings = DashboardSettings()
    settings.address = serving.listen.address.description
    settings.port = Int(serving.listen.port)
    settings.hostNames = serving.names
    settings.version = Mothlight.version
    do throws(ListenError) { identity = try Self.identity(serving, folder) } catch { throw Failure("tls: \(error)") }
    settings.tls = identity?.configuration
    var access = AccessSettings()
    access.isEncrypted = identity != nil
    access.admitsLocal = serving.listen.address.isLoopback
    let store = rooms.store
    let book = AccessStore(rooms.file)
    do {
      let users = try await book.users().count
      try BindingRule.check(serving.listen.address, hasTLS: identity != nil, users: users)
    } catch { throw Failure("\(error)") }
    let ledger = Ledger(rooms.file)
    let door = StationDoor(
      access, book: book, store: store, registry: ledger, census: rooms.census, board: rooms.board,
      version: Mothlight.version, privacy: rooms.privacy)
    server = DashboardServer(
      settings: settings, store: store, registry: ledger, census: rooms.census, board: rooms.board,
      networks: rooms.networks, access: door.gatekeeper, privacy: rooms.privacy, groups: door.groups, tally: door.tally,
      logger: log.logger)
  }

  private static func identity(_ serving: StationConfiguration.Serving, _ folder: StationFolder)
    throws(ListenError) -> TLSIdentity?
  {
    switch serving.encryption {
    case .none: return nil
    case .own:
      let names = serving.names + [serving.listen.address.description]
      return try TLSIdentity.selfMade(in: folder.tls, names: names, at: StationLog.now())
    case .files(let certificate, let key):
      return try TLSIdentity(certificate: certificate, key: key, at: StationLog.now())
    }
  }

  /// Serves until cancelled.
  func run() async throws {
    let (address, identity, log) = (address, identity, log)
    try await server.run { port in
      let place = ListenAddress(address: address.address, port: UInt16(clamping: port))
      log("open \(identity == nil ? "http" : "https")://\(place)/")
      if let identity {
        log(
          "certificate \(identity.isNew ? "made" : "kept"), good until \(identity.notAfter.dayDescription), SHA-256 \(identity.fingerprint)"
        )
      }
    }
  }
}
