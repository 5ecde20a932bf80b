/**
 * Options of every gRPC client and server of ours. They speak within this machine: messages of up to 400 MiB, as the SDK's, and never
 * through a proxy, which the library would take from `https_proxy` for loopback addresses too.
 */
export const GRPC_OPTIONS = {
  "grpc.max_receive_message_length": 400 * 1024 * 1024,
  "grpc.max_send_message_length": 400 * 1024 * 1024,
  "grpc.enable_http_proxy": 0,
};
