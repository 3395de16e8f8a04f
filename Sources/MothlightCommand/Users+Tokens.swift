import ArgumentParser
import Foundation
import Mothlight
import MothlightStore

extension Users {
  /// `mothlight users token`: keys for programs.
  struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "token", abstract: "Keep the tokens by which programs use the API.",
      subcommands: [AddToken.self, ListTokens.self, EndToken.self])
  }

  /// `mothlight users token add USER LABEL`.
  struct AddToken: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "add", abstract: "Make a token and print it, this once.",
      discussion: "It acts for its user, with at most that user's role. The station keeps its SHA-256 only.")
    @OptionGroup var station: StationChoice
    @Argument(help: "Whose it is.") var user: String
    @Argument(help: "What it is for, e.g. prometheus.") var label: String
    @Option(help: "viewer, analyst or admin.") var role = "viewer"
    @Option(help: "Days until it ends; 0: never.") var days = 365

    func run() async throws {
      guard (0...3650).contains(days) else { throw ValidationError("--days takes 0 to 3650") }
      guard let role = Role(rawValue: role) else {
        throw ValidationError("--role takes viewer, analyst or admin, not '\(role)'")
      }
      guard label.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value < 0x7f }) else {
        throw ValidationError("a label is a word of ASCII letters, digits and signs, e.g. prometheus")
      }
      let (owner, secret, days, label) = (user.lowercased(), Secret(), days, label)
      try await station.with { book, actor, time in
        let expires = days == 0 ? nil : time.advanced(bySeconds: Double(days) * 86_400)
        _ = try await book.addToken(
          label, owner: owner, role: role, expires: expires, hash: secret.hash, by: actor, at: time)
      }
      Terminal.write("This token is shown once; keep it where only its program can read it.\n", to: 2)
      try Output.write(secret.token + "\n")
    }
  }

  /// `mothlight users token list`.
  struct ListTokens: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List tokens, without themselves.")
    @OptionGroup var station: StationChoice

    func run() async throws {
      let tokens = try await station.with { book, _, _ in try await book.tokens() }
      var text = ""
      for token in tokens {
        let ends = token.expires.map { "ends \($0.dayDescription)" } ?? "does not end"
        let used = token.lastUsed.map { "used \($0.dayDescription)" } ?? "never used"
        text +=
          ["\(token.number)", token.owner, token.label, token.role.rawValue, ends, used]
          .joined(separator: "\t") + "\n"
      }
      try Output.write(tokens.isEmpty ? "no tokens\n" : text)
    }
  }

  /// `mothlight users token end NUMBER`.
  struct EndToken: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "end", abstract: "End a token, by its number.")
    @OptionGroup var station: StationChoice
    @Argument(help: "As `list` shows it.") var number: Int64

    func run() async throws {
      let number = number
      let hasEnded = try await station.with { book, actor, time in
        try await book.endToken(number, by: actor, at: time)
      }
      guard hasEnded else { throw Failure("there is no token \(number); `mothlight users token list` shows all") }
      try Output.write("token \(number) has ended\n")
    }
  }
}
