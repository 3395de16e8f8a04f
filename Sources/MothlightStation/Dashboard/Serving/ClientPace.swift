import NIOCore
import NIOHTTPTypes

/// Cuts off clients that send or take so slowly that they only hold a place.
///
/// A request has a time and a size from its head to its end, and a reply must be taken in part within a time. Heads themselves
/// are timed by Hummingbird's idle time-out, which a part of a head does not renew.
final class ClientPace: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let requestTime: TimeAmount
  private let writeTime: TimeAmount
  private let octetsMost: Int
  private var octets = 0
  private var requestEnd: Scheduled<Void>?
  private var writeEnd: Scheduled<Void>?
  /// Writes that the kernel has not taken.
  private var waiting = 0
  private var taken = 0

  init(_ settings: DashboardSettings) {
    requestTime = .seconds(Int64(settings.requestSeconds))
    writeTime = .seconds(Int64(settings.writeSeconds))
    // A body that is refused is read to its end first, so that the client sees why; but not for ever.
    octetsMost = settings.bodyOctetsMost * 4
  }

  func handlerRemoved(context: ChannelHandlerContext) { stop() }

  func channelInactive(context: ChannelHandlerContext) {
    stop()
    context.fireChannelInactive()
  }

  private func stop() {
    requestEnd?.cancel()
    writeEnd?.cancel()
    (requestEnd, writeEnd) = (nil, nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      octets = 0
      requestEnd?.cancel()
      requestEnd = schedule(requestTime, context) { _ in true }
    case .body(let part):
      octets += part.readableBytes
      if octets > octetsMost { return context.close(promise: nil) }
    case .end:
      requestEnd?.cancel()
      requestEnd = nil
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let done = promise ?? context.eventLoop.makePromise(of: Void.self)
    waiting += 1
    let me = NIOLoopBound(self, eventLoop: context.eventLoop)
    done.futureResult.whenComplete { _ in
      me.value.waiting -= 1
      me.value.taken &+= 1
    }
    if writeEnd == nil { watchWrites(context) }
    context.write(data, promise: done)
  }

  private func watchWrites(_ context: ChannelHandlerContext) {
    let before = taken
    writeEnd = schedule(writeTime, context) { pace in
      pace.writeEnd = nil
      return pace.waiting > 0 && pace.taken == before
    } otherwise: { pace, context in
      if pace.waiting > 0 { pace.watchWrites(context) }
    }
  }

  /// Closes the connection after `time` if `isOver` then.
  private func schedule(
    _ time: TimeAmount, _ context: ChannelHandlerContext, _ isOver: @escaping @Sendable (ClientPace) -> Bool,
    otherwise: @escaping @Sendable (ClientPace, ChannelHandlerContext) -> Void = { _, _ in }
  ) -> Scheduled<Void> {
    let bound = NIOLoopBound((pace: self, context: context), eventLoop: context.eventLoop)
    return context.eventLoop.scheduleTask(in: time) {
      let (pace, context) = bound.value
      if isOver(pace) {
        context.close(promise: nil)
      } else {
        otherwise(pace, context)
      }
    }
  }
}

@available(*, unavailable)
extension ClientPace: Sendable {}
