import Glibc
import HeadraceCCurl

extension HTTPClientError {
    /// The failure that libcurl's result stands for; `nil` for success.
    static func ofCurl(_ result: CURLcode, _ easy: EasyTransfer) -> HTTPClientError? {
        let reason = easy.reason ?? String(cString: curl_easy_strerror(result))
        switch result {
        case CURLE_OK:
            return easy.hasHead ? nil : HTTPClientError(.cut, "the connection ended in the head of the response")
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            return HTTPClientError(.resolveFailed, "the host's name has no address: \(reason)")
        case CURLE_COULDNT_CONNECT, CURLE_PROXY:
            return HTTPClientError(.connectFailed, "no connection: \(reason)")
        case CURLE_OPERATION_TIMEDOUT:
            let code = easy.clock.wasConnected ? Code.silenceTimeout : .connectTimeout
            return HTTPClientError(code, "no connection within the time allowed: \(reason)")
        case CURLE_SSL_CONNECT_ERROR:
            // The peer hung up or spoke something else: a balancer that restarts does that.
            return HTTPClientError(.tlsFailed, "no secure connection: \(reason)", isRetryable: true)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS,
            CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ENGINE_NOTFOUND:
            return HTTPClientError(.tlsFailed, "no secure connection: \(reason)")
        case CURLE_RECV_ERROR where isAboutChunks(reason):
            return HTTPClientError(.malformedResponse, "the body's chunks cannot be read: \(reason)")
        case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_HTTP2,
            CURLE_HTTP2_STREAM, CURLE_SSL_SHUTDOWN_FAILED:
            let place = easy.hasHead ? "in the body" : "before the response"
            return HTTPClientError(.cut, "the connection ended \(place): \(reason)")
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING, CURLE_UNSUPPORTED_PROTOCOL:
            return HTTPClientError(.malformedResponse, "the response is not HTTP: \(reason)")
        case CURLE_OUT_OF_MEMORY where easy.clock.wasConnected && !easy.hasHead:
            return HTTPClientError(.malformedResponse, "the head of the response is too large: \(reason)")
        case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT:
            return HTTPClientError(.outOfResources, "libcurl lacks something: \(reason)")
        case CURLE_URL_MALFORMAT:
            return HTTPClientError(.badURL, "libcurl cannot read the URL: \(reason)")
        default:
            return HTTPClientError(.transferFailed, "the transfer failed: \(reason) (libcurl \(result.rawValue))")
        }
    }

    /// libcurl has one code for a connection that broke and for chunks that make no sense.
    private static func isAboutChunks(_ reason: String) -> Bool {
        ["chunk", "hexadecimal"].contains { reason.lowercased().contains($0) }
    }
}
