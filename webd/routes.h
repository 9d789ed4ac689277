// Every path of the REST interface, who may ask for it, and who answers. docs/openapi.yaml says the same in more words;
// a unit test keeps the two in step. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/admin/web_users.h"
#include "webd/http.h"

namespace holdfast::webd {

struct Call;  // call.h

using Answer = Response (*)(Call&);

// What a request may cost: none blocks the loop, but those who take long must not keep the others waiting.
enum class Lane { kQuick, kSlow, kReport };

struct Route {
  std::string_view method, path;  // "GET", "queue/{id}/headers"
  admin::Role role;               // who may
  Lane lane;
  Answer answer;
  bool audited = false;           // a GET that is written down too; all others always are
};

std::span<const Route> all_routes();

struct Match {
  const Route* route = nullptr;    // null: no such path, or not by this method
  bool path_known = false;         // 405 and not 404
  std::vector<std::string> names;  // what stands in the braces
};
// `path` is what follows "/api/v1/".
Match match(std::string_view method, std::span<const std::string> path);

}  // namespace holdfast::webd
