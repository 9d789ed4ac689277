#include "webd/routes.h"

#include <map>

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/text.h"

namespace holdfast::webd {
namespace {

using admin::Role;

TEST(Routes, AreFoundByMethodAndPath) {
  const auto of = [](const char* method, const std::vector<std::string>& path) { return match(method, path); };
  EXPECT_EQ(of("GET", {"queue", "ages"}).route->path, "queue/ages") << "no message's id";
  const auto message = of("GET", {"queue", "3F2A91C07B4D", "headers"});
  ASSERT_NE(message.route, nullptr);
  EXPECT_EQ(message.names, std::vector<std::string>{"3F2A91C07B4D"});
  EXPECT_EQ(of("DELETE", {"queue"}).route, nullptr);
  EXPECT_TRUE(of("DELETE", {"queue"}).path_known);
  EXPECT_FALSE(of("GET", {"queue", "a", "b", "c"}).path_known);
  EXPECT_FALSE(of("GET", {"queue", ""}).path_known);
  EXPECT_EQ(of("POST", {"queue", "delete"}).route->role, Role::kAdmin);
  EXPECT_EQ(of("POST", {"queue", "hold"}).route->role, Role::kOperator);
}

TEST(Routes, ViewersChangeNothingButThemselves) {
  for (const Route& route : all_routes()) {
    const bool reads = route.method == "GET" || route.path == "recipients/check" || route.path == "password";
    EXPECT_TRUE(reads || route.role >= Role::kOperator) << route.path;
    if (route.path.find("content") != route.path.npos) {
      EXPECT_EQ(route.role, Role::kAdmin);
      EXPECT_TRUE(route.audited);
    }
    if (route.path.starts_with("users") || route.path.starts_with("tokens") || route.path == "audit") {
      EXPECT_EQ(route.role, Role::kAdmin) << route.path;
    }
  }
}

// docs/openapi.yaml as "GET queue/{id}" to its x-role.
std::map<std::string, std::string> documented() {
  std::map<std::string, std::string> out;
  const auto text = base::read_file(std::string(HOLDFAST_SOURCE) + "/docs/openapi.yaml");
  if (!text) {
    ADD_FAILURE() << text.error().text;
    return out;
  }
  std::string path, last;
  for (const auto line : base::split(*text, '\n')) {
    if (line.starts_with("components:")) break;
    if (line.starts_with("  /")) path = line.substr(3, line.size() - 4);
    for (const auto& [word, method] : {std::pair{"    get:", "GET"}, {"    post:", "POST"}, {"    delete:", "DELETE"}}) {
      if (line == word) out[last = std::string(method) + " " + path];
    }
    if (line.starts_with("      x-role: ")) out[last] = line.substr(14);
  }
  return out;
}

TEST(Routes, NoDeedWaitsBehindAReport) {
  std::size_t reports = 0;
  for (const auto& route : all_routes()) {
    if (route.lane != Lane::kReport) continue;
    ++reports;
    EXPECT_EQ(route.method, "GET") << route.path;
  }
  EXPECT_EQ(reports, 1U) << "a report reads logs for long: it has a desk of its own";
}

TEST(Routes, TheOpenApiDocumentIsInStep) {
  auto told = documented();
  for (const Route& route : all_routes()) {
    const std::string name = std::string(route.method) + " " + std::string(route.path);
    ASSERT_TRUE(told.contains(name)) << name << " is not in docs/openapi.yaml";
    EXPECT_EQ(told.at(name), admin::to_text(route.role)) << name;
    told.erase(name);
  }
  for (const char* own : {"POST login", "POST logout", "GET session", "GET live"}) EXPECT_EQ(told.erase(own), 1U) << own;
  EXPECT_TRUE(told.empty()) << told.begin()->first << " is in docs/openapi.yaml, but nobody answers it";
}

}  // namespace
}  // namespace holdfast::webd
