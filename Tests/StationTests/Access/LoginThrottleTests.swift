import Mothlight
import Testing

@testable import MothlightStation

/// By reference, since macros of tests cannot change a value.
private final class Watched {
  private var throttle: LoginThrottle
  init(_ limits: LoginThrottle.Limits = .init()) { throttle = LoginThrottle(limits) }
  var refused: UInt64 { throttle.refused }
  var evicted: UInt64 { throttle.evicted }
  func attempt(_ account: String, isReal: Bool, from address: IPAddress, at time: Timestamp) -> Double? {
    throttle.attempt(account, isReal: isReal, from: address, at: time)
  }
  func succeeded(_ account: String, from address: IPAddress, at time: Timestamp) {
    throttle.succeeded(account, from: address, at: time)
  }
  func withdraw(_ account: String, from address: IPAddress) { throttle.withdraw(account, from: address) }
}

@Suite struct LoginThrottleTests {
  private static let start = Timestamp(seconds: 1_700_000_000)
  private let home = IPAddress(v4: 0x7f00_0001)
  private let office = IPAddress(v4: 0x7f00_0002)

  private func at(_ seconds: Double) -> Timestamp { Self.start.advanced(bySeconds: seconds) }

  private func address(_ n: Int) -> IPAddress { IPAddress(v4: 0x7f10_0000 + UInt32(n)) }

  @Test func delaysGrowFromTheFifthFailure() throws {
    let throttle = Watched()
    for n in 0..<5 { #expect(throttle.attempt("alice", isReal: true, from: home, at: at(Double(n))) == nil) }
    // 1, 2, 4 ... seconds after the last failure.
    var now = 4.0
    for delay in [1.0, 2, 4, 8, 16] {
      let wait = try #require(throttle.attempt("alice", isReal: true, from: home, at: at(now + 0.5)))
      #expect(abs(wait - (delay - 0.5)) < 1e-6)
      now += delay
      #expect(throttle.attempt("alice", isReal: true, from: home, at: at(now)) == nil)
    }
    #expect(throttle.refused == 5)
  }

  @Test func aHundredAtOnceAreNoHundredGuesses() {
    let throttle = Watched()
    let admitted = (0..<100).filter { _ in throttle.attempt("alice", isReal: true, from: home, at: at(0)) == nil }
    #expect(admitted.count == 5)
  }

  /// From many addresses against one account: the account's own delay holds, and has an end.
  @Test func manyAddressesGuessNoFaster() throws {
    let throttle = Watched()
    var guesses = 0
    for second in 0..<3600 {
      if throttle.attempt("alice", isReal: true, from: address(second), at: at(Double(second))) == nil { guesses += 1 }
    }
    #expect(guesses < 80, "an hour of a botnet's guesses")
    let wait = throttle.attempt("alice", isReal: true, from: address(5000), at: at(3600)) ?? 0
    #expect(wait <= 60)
  }

  /// One address against many accounts.
  @Test func sprayingIsSlowed() {
    let throttle = Watched()
    let guesses = (0..<3600).filter { second in
      throttle.attempt("user\(second)", isReal: false, from: home, at: at(Double(second))) == nil
    }
    #expect(guesses.count < 20)
  }

  /// Strangers fail at the owner's name all day; the owner still comes in from where they came in before.
  @Test func strangersLockNobodyOut() {
    let throttle = Watched()
    #expect(throttle.attempt("alice", isReal: true, from: office, at: at(0)) == nil)
    throttle.succeeded("alice", from: office, at: at(0))
    for n in 0..<500 { _ = throttle.attempt("alice", isReal: true, from: address(n), at: at(Double(n))) }
    #expect(throttle.attempt("alice", isReal: true, from: home, at: at(500)) != nil)
    #expect(throttle.attempt("alice", isReal: true, from: office, at: at(500)) == nil)
    // That place has no free guesses beyond its own five.
    let more = (0..<100).filter { _ in throttle.attempt("alice", isReal: true, from: office, at: at(501)) == nil }
    #expect(more.count == 4)
  }

  @Test func successForgetsFailures() {
    let throttle = Watched()
    for _ in 0..<5 { _ = throttle.attempt("alice", isReal: true, from: home, at: at(0)) }
    throttle.succeeded("alice", from: home, at: at(1))
    #expect(throttle.attempt("alice", isReal: true, from: home, at: at(1)) == nil)
  }

  @Test func whatWasNotCheckedIsNoFailure() {
    let throttle = Watched()
    for _ in 0..<50 {
      #expect(throttle.attempt("alice", isReal: true, from: home, at: at(0)) == nil)
      throttle.withdraw("alice", from: home)
    }
    throttle.succeeded("alice", from: home, at: at(0))
    for _ in 0..<50 {
      #expect(throttle.attempt("alice", isReal: true, from: home, at: at(0)) == nil)
      throttle.withdraw("alice", from: home)
    }
  }

  @Test func aDayForgetsFailures() {
    let throttle = Watched()
    for _ in 0..<5 { _ = throttle.attempt("alice", isReal: true, from: home, at: at(0)) }
    #expect(throttle.attempt("alice", isReal: true, from: home, at: at(0)) != nil)
    let again = (0..<9).filter { _ in throttle.attempt("alice", isReal: true, from: home, at: at(86_401)) == nil }
    #expect(again.count == 5)
  }

  @Test func aClockThatWentBackLocksNobodyOut() throws {
    let throttle = Watched()
    for _ in 0..<6 { _ = throttle.attempt("alice", isReal: true, from: home, at: at(100_000)) }
    let wait = try #require(throttle.attempt("alice", isReal: true, from: home, at: at(0)))
    #expect(wait <= 1)
  }

  @Test func oneCustomerOfIPv6IsOneAddress() {
    let throttle = Watched()
    let admitted = (0..<64).filter { n in
      let address = IPAddress(high: 0x2001_0db8_0000_0001, low: UInt64(n) << 32)
      return throttle.attempt("user\(n)", isReal: false, from: address, at: at(0)) == nil
    }
    #expect(admitted.count == 5)
  }

  /// Made-up names fill the table and push each other out, not the real account's failures.
  @Test func tablesAreBounded() {
    var limits = LoginThrottle.Limits()
    limits.entries = 64
    let throttle = Watched(limits)
    for _ in 0..<6 { _ = throttle.attempt("alice", isReal: true, from: address(0), at: at(0)) }
    for n in 1..<2000 { _ = throttle.attempt("made-up-\(n)", isReal: false, from: address(n), at: at(0)) }
    #expect(throttle.evicted > 1000)
    #expect(throttle.attempt("alice", isReal: true, from: address(3000), at: at(0.5)) != nil)
  }
}
