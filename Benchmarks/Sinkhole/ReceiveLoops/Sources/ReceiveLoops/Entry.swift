import CBatch
import Glibc
import NIOCore
import NIOPosix

/// Counts datagrams and looks at their sources, as a tally would have to.
private final class Counter: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  var count: UInt64 = 0
  var sum: UInt64 = 0

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let envelope = unwrapInboundIn(data)
    count &+= 1
    if case .v4(let address) = envelope.remoteAddress { sum &+= UInt64(address.address.sin_addr.s_addr) }
  }
}

@main
struct Entry {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 4, let port = UInt16(arguments[2]), let seconds = Double(arguments[3]) else {
      print("ReceiveLoops recvmmsg|nio PORT SECONDS: receives on 127.0.0.1:PORT")
      exit(2)
    }
    let start = cbatch_cpu()
    var count: UInt64 = 0
    if arguments[1] == "recvmmsg" {
      var sum: UInt64 = 0
      count = cbatch_receive(cbatch_socket(port, 8 << 20), seconds, &sum)
    } else {
      count = try nio(port, seconds)
    }
    let used = cbatch_cpu() - start
    print("\(arguments[1]) received \(count) CPU s \(used) per CPU s \(UInt64(Double(count) / max(used, 0.001)))")
  }

  private static func nio(_ port: UInt16, _ seconds: Double) throws -> UInt64 {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    defer { try? group.syncShutdownGracefully() }
    let loop = group.next()
    let counter = try loop.submit { NIOLoopBound(Counter(), eventLoop: loop) }.wait()
    let channel = try DatagramBootstrap(group: loop)
      .channelOption(.datagramVectorReadMessageCount, value: 64)
      .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64 * 2048))
      .channelOption(.maxMessagesPerRead, value: 8)
      .channelOption(.socketOption(.so_rcvbuf), value: 8 << 20)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(counter.value) }
      }
      .bind(host: "127.0.0.1", port: Int(port)).wait()
    usleep(UInt32(seconds * 1e6))
    let count = try loop.submit { counter.value.count }.wait()
    try channel.close().wait()
    return count
  }
}
