// Requests and answers as webd's own code sees them, and the small grammars in them. Pure. What came from outside is
// bounded by the server before it comes here (server.h), and believed nowhere.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.h"

namespace holdfast::webd {

struct Request {
  std::string method;                                        // "GET"
  std::string target;                                        // as sent: "/api/v1/queue?state=held"
  std::vector<std::string> path;                             // decoded: {"api", "v1", "queue"}
  std::map<std::string, std::string, std::less<>> query;     // decoded; of a name that comes twice the first
  std::map<std::string, std::string, std::less<>> headers;   // names in lower case; of one that comes twice the first
  std::string body;
  std::string address;                                       // the client's: "127.0.0.1"
  bool secure = false;                                       // by TLS

  // "" for what is not there.
  std::string header(std::string_view lower_name) const;
  std::string parameter(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// Path and query of a target; nothing: it is none (not absolute, a bad %, a zero byte, more than 64 parameters, "..").
struct Target {
  std::vector<std::string> path;
  std::map<std::string, std::string, std::less<>> query;
};
std::optional<Target> parse_target(std::string_view target);

// The value of a cookie in a Cookie header.
std::optional<std::string> cookie(std::string_view header, std::string_view name);

// The token of "Authorization: Bearer TOKEN".
std::optional<std::string> bearer(std::string_view header);

// Whether a page of ours sent this: Origin, where it stands, is the host that was asked, and Sec-Fetch-Site, where it
// stands, says the same.
bool same_origin(const Request& request);

// Whether the client is on this machine, and nobody speaks for others there.
bool from_loopback(const Request& request);

// Whether If-None-Match names this ETag.
bool etag_matches(std::string_view header, std::string_view etag);

// Whether Accept-Encoding takes gzip.
bool takes_gzip(std::string_view header);

// {"error": {"kind", "text"}} with the status of the error's kind. `text` is for people.
Response error_response(int status, std::string_view kind, std::string_view text);
Response error_response(const base::Error& error);
Response busy();            // 503: ask again in a moment
Response unknown_caller();  // 401

// What every answer has: a strict Content-Security-Policy and its kin.
std::vector<std::pair<std::string, std::string>> safety_headers(bool secure);

}  // namespace holdfast::webd
