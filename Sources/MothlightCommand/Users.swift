import ArgumentParser
import Foundation
import Mothlight
import MothlightStore

/// `mothlight users`: who may look at a station.
struct Users: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "users", abstract: "Keep the users of a station, their roles and tokens.",
    discussion: """
      Viewers read; analysts also change cases and allow rules; admins also see audit and users. The first user has to be an \
      admin. Passwords are asked for on the terminal, or read as one line from standard input; they never stand in the command \
      line. A running station heeds every change at once, and all sessions of a user end when the password changes.

      Exit status: 0 done, 2 refused or not possible.
      """,
    subcommands: [Add.self, Passwd.self, SetRole.self, Disable.self, Enable.self, Remove.self, List.self, Token.self])
}

/// Which station.
struct StationChoice: ParsableArguments {
  @Option(
    help: ArgumentHelp("Folder of everything that the station keeps. Default: ./station-data.", valueName: "dir"))
  var data = "station-data"

  private var now: Timestamp { Timestamp(seconds: Int64(Date().timeIntervalSince1970)) }

  /// Opens the book, makes one change, closes it.
  func with<T: Sendable>(
    _ mode: SQLiteStore.Mode = .existing, _ body: (AccessStore, Actor, Timestamp) async throws -> T
  ) async throws -> T {
    if mode == .create {
      do {
        try FileManager.default.createDirectory(
          atPath: data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      } catch { throw Failure("\(data): cannot be made; give --data DIR") }
    }
    do {
      let store = try SQLiteStore(path: data + "/store.sqlite", mode: mode, at: now)
      defer { store.close() }
      return try await body(AccessStore(store), Actor(Author.current, origin: "command line"), now)
    } catch let error as StoreError {
      guard error.code != .absent || mode == .create || FileManager.default.fileExists(atPath: data + "/store.sqlite")
      else { throw Failure("\(data): no station keeps its things here yet; `mothlight users add` makes the book") }
      throw Failure(error.message)
    }
  }
}

/// A password from somebody who types it, or from a program; never from the command line, where all can read it.
enum PasswordPrompt {
  private static let octetsMost = PasswordRule.octetsMost + 1

  /// - Throws: `Failure` when the two do not agree, there is none, or it is too weak.
  private static func newPassword(for name: String) throws -> String {
    let isTyped = isatty(0) == 1
    let first = try read(isTyped ? "New password for \(name): " : nil)
    if isTyped, try read("The same again: ") != first { throw Failure("the two are not the same; nothing was changed") }
    do { try PasswordRule.check(first, for: name) } catch { throw Failure(error.message) }
    return first
  }

  static func newHash(for name: String) throws -> PasswordHash {
    let password = try newPassword(for: name)
    guard let hash = PasswordHash(password) else {
      throw Failure("the password could not be hashed: is there memory?")
    }
    return hash
  }

  private static func read(_ prompt: String?) throws -> String {
    if let prompt { Terminal.write(prompt, to: 2) }
    let line = prompt == nil ? readOctets() : try withoutEcho { readOctets() }
    if prompt != nil { Terminal.write("\n", to: 2) }
    guard let line, let text = String(validating: line, as: UTF8.self), !text.isEmpty else {
      throw Failure("no password was given: type it, or pass it as one line to standard input")
    }
    return text
  }

  /// Up to the line's end, octet by octet: what follows is not ours.
  private static func readOctets() -> [UInt8]? {
    var line: [UInt8] = []
    var octet: UInt8 = 0
    while line.count <= octetsMost {
      let count = Foundation.read(0, &octet, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1, octet != 0x0a else { break }
      line.append(octet)
    }
    if line.last == 0x0d { line.removeLast() }
    return line.count > octetsMost ? nil : line
  }

  private static func withoutEcho<T>(_ body: () -> T) throws -> T {
    var before = termios()
    guard tcgetattr(0, &before) == 0 else { throw Failure("the terminal cannot hide what is typed") }
    var hidden = before
    hidden.c_lflag &= ~tcflag_t(ECHO)
    guard tcsetattr(0, TCSAFLUSH, &hidden) == 0 else { throw Failure("the terminal cannot hide what is typed") }
    defer { tcsetattr(0, TCSAFLUSH, &before) }
    return body()
  }
}

/// A user's name on the command line.
private func checked(_ text: String) throws -> String {
  do { return try UserName.checked(text) } catch { throw ValidationError(error.message) }
}

private func named(_ word: String) throws -> Role {
  guard let role = Role(rawValue: word) else {
    throw ValidationError("--role takes viewer, analyst or admin, not '\(word)'")
  }
  return role
}

extension Users {
  /// `mothlight users add NAME --role ROLE`.
  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Add a user; the password is asked for.")
    @OptionGroup var station: StationChoice
    @Argument(help: "Letters, digits, '.', '_' and '-'.") var name: String
    @Option(help: "viewer, analyst or admin.") var role: String

    func run() async throws {
      let (name, role) = (try checked(name), try named(role))
      let isFirst = try await station.with(.create) { book, _, _ in try await book.users().isEmpty }
      guard role == .admin || !isFirst else {
        throw Failure("the first user has to be an admin: mothlight users add \(name) --role admin")
      }
      let hash = try PasswordPrompt.newHash(for: name)
      try await station.with { book, actor, time in
        try await book.addUser(name, role: role, password: hash.description, by: actor, at: time)
      }
      try Output.write("added \(name) as \(role.rawValue)\n")
    }
  }

  /// `mothlight users passwd NAME`.
  struct Passwd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Set a user's password; all sessions of the user end.")
    @OptionGroup var station: StationChoice
    @Argument(help: "The user.") var name: String

    func run() async throws {
      let name = try checked(name)
      let known = try await station.with { book, _, _ in try await book.account(name) }
      guard known != nil else {
        throw Failure("there is no user '\(name)'; `mothlight users list` shows all")
      }
      let hash = try PasswordPrompt.newHash(for: name)
      try await station.with { book, actor, time in
        try await book.setPassword(of: name, to: hash.description, by: actor, at: time)
      }
      try Output.write("the password of \(name) is set; all sessions ended\n")
    }
  }

  /// `mothlight users role NAME ROLE`.
  struct SetRole: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "role", abstract: "Give a user another role.")
    @OptionGroup var station: StationChoice
    @Argument(help: "The user.") var name: String
    @Argument(help: "viewer, analyst or admin.") var role: String

    func run() async throws {
      let (name, role) = (try checked(name), try named(role))
      try await station.with { book, actor, time in try await book.setRole(of: name, to: role, by: actor, at: time) }
      try Output.write("\(name) is \(role.rawValue)\n")
    }
  }

  /// `mothlight users disable NAME`.
  struct Disable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Let a user in no longer; the name stays taken and the audit readable.")
    @OptionGroup var station: StationChoice
    @Argument(help: "The user.") var name: String

    func run() async throws {
      let name = try checked(name)
      try await station.with { book, actor, time in
        try await book.setDisabled(true, of: name, by: actor, at: time)
      }
      try Output.write("\(name) is disabled; all sessions ended\n")
    }
  }

  /// `mothlight users enable NAME`.
  struct Enable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let a disabled user in again.")
    @OptionGroup var station: StationChoice
    @Argument(help: "The user.") var name: String

    func run() async throws {
      let name = try checked(name)
      try await station.with { book, actor, time in
        try await book.setDisabled(false, of: name, by: actor, at: time)
      }
      try Output.write("\(name) is enabled\n")
    }
  }

  /// `mothlight users remove NAME`.
  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a user with sessions and tokens; the audit stays.")
    @OptionGroup var station: StationChoice
    @Argument(help: "The user.") var name: String

    func run() async throws {
      let name = try checked(name)
      try await station.with { book, actor, time in try await book.removeUser(name, by: actor, at: time) }
      try Output.write("removed \(name)\n")
    }
  }

  /// `mothlight users list`.
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List users, by name.")
    @OptionGroup var station: StationChoice

    func run() async throws {
      let users = try await station.with { book, _, _ in try await book.users() }
      var text = ""
      for user in users {
        let seen = user.lastSeen.map { "seen \($0.dayDescription)" } ?? "never seen"
        let state = user.isDisabled ? "disabled" : "active"
        text +=
          [user.name, user.role.rawValue, state, "since \(user.created.dayDescription)", seen]
          .joined(separator: "\t") + "\n"
      }
      try Output.write(users.isEmpty ? "no users; whoever works on this machine may look\n" : text)
    }
  }
}
