#include "webd/gate.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::webd {
namespace {

using base::Mono;
using base::Seconds;

constexpr Sessions::Limits kLimits{.idle = Seconds{100}, .longest = Seconds{1000}};

admin::WebUser user(std::string name, Role role, std::string password = "") { return {std::move(name), role, std::move(password), 0}; }

TEST(Sessions, EndWhenIdleAndInAnyCase) {
  Sessions sessions(kLimits);
  const std::string token = sessions.open(user("a", Role::kAdmin), "192.0.2.1", Mono{}).token;
  EXPECT_EQ(token.size(), 64U);
  Mono now{};
  for (int i = 0; i < 12; ++i) {
    now += Seconds{80};
    EXPECT_NE(sessions.find(token, now), nullptr) << "used all the time";
  }
  EXPECT_EQ(sessions.find(token, Mono{} + Seconds{1000}), nullptr) << "the longest is over";
  EXPECT_EQ(sessions.size(), 0U);
  const std::string other = sessions.open(user("a", Role::kAdmin), "192.0.2.1", now).token;
  EXPECT_EQ(sessions.find(other, now + Seconds{100}), nullptr) << "idle";
}

TEST(Sessions, ALookIsNoUse) {
  Sessions sessions(kLimits);
  const std::string token = sessions.open(user("a", Role::kAdmin), "", Mono{}).token;
  EXPECT_NE(sessions.look_at(token, Mono{} + Seconds{99}), nullptr);
  EXPECT_EQ(sessions.look_at(token, Mono{} + Seconds{100}), nullptr);
}

TEST(Seen, OutlivesTheProcess) {
  storage::test::Folder folder;
  const std::string file = folder.path() + "/seen.json";
  {
    Seen seen(file);
    EXPECT_EQ(seen.last_login("root"), 0);
    seen.login("root", 5);
    seen.use("0011aabb", 7);
    seen.save();
    seen.login("root", 9);  // dies before the next save
  }
  Seen after(file);
  EXPECT_EQ(after.last_login("root"), 5);
  EXPECT_EQ(after.last_used("0011aabb"), 7);
  EXPECT_EQ(after.last_used("root"), 0);
  std::ofstream(file) << "{\"users\":{\"root\":\"x\"},\"tokens\":[1]";
  EXPECT_EQ(Seen(file).last_login("root"), 0);
  std::ofstream(file) << "{\"users\":{\"root\":\"x\"},\"tokens\":[1]}";
  EXPECT_EQ(Seen(file).last_login("root"), 0);
}

TEST(Sessions, EndWithTheirUser) {
  Sessions sessions(kLimits);
  const std::string a = sessions.open(user("a", Role::kAdmin), "", Mono{}).token, b = sessions.open(user("b", Role::kViewer), "", Mono{}).token;
  const std::string a2 = sessions.open(user("a", Role::kAdmin), "", Mono{}).token;
  sessions.close_all_of("a", a2);
  EXPECT_EQ(sessions.find(a, Mono{}), nullptr);
  EXPECT_NE(sessions.find(a2, Mono{}), nullptr) << "his own, who has changed his password";
  EXPECT_NE(sessions.find(b, Mono{}), nullptr);
  const admin::WebUser demoted{"a", Role::kViewer, "", 0}, same{"b", Role::kViewer, "", 0};
  sessions.check([&](const std::string& name) { return name == "a" ? &demoted : &same; });
  EXPECT_EQ(sessions.find(a2, Mono{}), nullptr) << "another role";
  EXPECT_NE(sessions.find(b, Mono{}), nullptr);
}

TEST(Sessions, EndWithTheirPassword) {
  Sessions sessions(kLimits);
  const auto before = user("a", Role::kAdmin, "one"), after = user("a", Role::kAdmin, "two");
  const std::string own = sessions.open(before, "", Mono{}).token, other = sessions.open(before, "", Mono{}).token;
  sessions.check([&](const std::string&) { return &before; });
  EXPECT_EQ(sessions.size(), 2U);
  sessions.check([&](const std::string&) { return &after; }, own);
  EXPECT_EQ(sessions.find(other, Mono{}), nullptr);
  sessions.check([&](const std::string&) { return &after; });
  EXPECT_NE(sessions.find(own, Mono{}), nullptr) << "he has changed it himself";
}

TEST(Sessions, AreBounded) {
  Sessions sessions(kLimits);
  const std::string first = sessions.open(user("a", Role::kViewer), "", Mono{}).token;
  for (std::size_t i = 0; i < Sessions::kMost; ++i) sessions.open(user("a", Role::kViewer), "", Mono{} + Seconds{1});
  EXPECT_EQ(sessions.size(), Sessions::kMost);
  EXPECT_EQ(sessions.find(first, Mono{} + Seconds{2}), nullptr) << "the one not used longest goes";
}

TEST(Throttle, MakesGuessingSlow) {
  Throttle throttle;
  const Mono now = Mono{} + Seconds{100'000};
  for (int i = 0; i < Throttle::kFreeOfClient; ++i) {
    EXPECT_EQ(throttle.wait("x", "admin", now).count(), 0) << i;
    throttle.failed("x", "admin", now);
  }
  EXPECT_EQ(throttle.wait("x", "admin", now), Seconds{1});
  EXPECT_EQ(throttle.wait("x", "other", now), Seconds{1}) << "whatever name he tries";
  EXPECT_EQ(throttle.wait("y", "admin", now).count(), 0) << "the admin elsewhere is not locked out by that";
  throttle.failed("x", "admin", now);
  EXPECT_EQ(throttle.wait("x", "admin", now), Seconds{2});
  for (int i = 0; i < 40; ++i) throttle.failed("x", "admin", now);
  EXPECT_EQ(throttle.wait("x", "admin", now), Throttle::kLongestOfClient);
  EXPECT_EQ(throttle.wait("y", "admin", now), Throttle::kLongestOfName) << "from many addresses: a bounded wait";
  EXPECT_EQ(throttle.wait("x", "admin", now + Throttle::kLongestOfClient).count(), 0);
  throttle.succeeded("x", "admin");
  EXPECT_EQ(throttle.wait("x", "admin", now).count(), 0);
}

class GateTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(admin::change_accounts(file_, [&](admin::WebAccounts& accounts) -> base::Status {
      if (auto done = admin::add_user(accounts, "root", Role::kAdmin, "correct horse", 1); !done) return done;
      const auto made = admin::make_token("ci", Role::kViewer, "root", 1, 5'000);
      secret_ = made.secret;
      return admin::add_token(accounts, made.kept);
    }));
  }
  admin::WebUser root() {
    auto accounts = gate_.accounts();
    return *accounts.find_user("root");
  }
  static Request with_cookie(const std::string& token) {
    Request r;
    r.headers["cookie"] = "holdfast=" + token;
    r.headers["host"] = "localhost";
    return r;
  }

  storage::test::Folder folder_;
  const std::string file_ = folder_.path() + "/web/users.json";
  Gate gate_{file_, kLimits};
  std::string secret_;
};

TEST_F(GateTest, PasswordsAreKeptAsYescrypt) {
  const auto* user = const_cast<admin::WebAccounts&>(gate_.accounts()).find_user("root");
  ASSERT_NE(user, nullptr);
  EXPECT_TRUE(user->password.starts_with("$y$")) << user->password;
  EXPECT_TRUE(admin::password_fits("correct horse", user->password));
  EXPECT_FALSE(admin::password_fits("correct horsf", user->password));
  EXPECT_FALSE(admin::password_fits("", user->password));
  EXPECT_FALSE(admin::password_fits("correct horse", ""));
}

TEST_F(GateTest, KnowsUsersBySessionAndProgramsByToken) {
  EXPECT_FALSE(gate_.caller_of(Request{}, Mono{}, 1));
  EXPECT_FALSE(gate_.caller_of(with_cookie("x"), Mono{}, 1));
  const auto session = gate_.sessions().open(root(), "", Mono{});
  const auto caller = gate_.caller_of(with_cookie(session.token), Mono{}, 1);
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->name, "root");
  Request r;
  r.headers["authorization"] = "Bearer " + secret_;
  ASSERT_TRUE(gate_.caller_of(r, Mono{}, 1));
  EXPECT_EQ(gate_.caller_of(r, Mono{}, 1)->role, Role::kViewer);
  EXPECT_FALSE(gate_.caller_of(r, Mono{}, 5'000)) << "expired";
  auto wrong = secret_;
  wrong.back() = wrong.back() == 'a' ? 'b' : 'a';
  r.headers["authorization"] = "Bearer " + wrong;
  EXPECT_FALSE(gate_.caller_of(r, Mono{}, 1));
  r.headers["cookie"] = "holdfast=" + session.token;
  EXPECT_FALSE(gate_.caller_of(r, Mono{}, 1)) << "a bad token is not made good by a cookie";
}

TEST_F(GateTest, AForgedRequestIsRefused) {
  const auto session = gate_.sessions().open(root(), "", Mono{});
  auto r = with_cookie(session.token);
  const Caller caller{.name = "root", .role = Role::kAdmin, .session = session.token};
  EXPECT_EQ(gate_.forged(r, caller, Mono{})->status, 403) << "no token";
  r.headers["x-csrf-token"] = session.csrf.substr(1);
  EXPECT_TRUE(gate_.forged(r, caller, Mono{})) << "a wrong one";
  r.headers["x-csrf-token"] = session.csrf;
  EXPECT_FALSE(gate_.forged(r, caller, Mono{}));
  r.headers["origin"] = "http://evil.test";
  EXPECT_TRUE(gate_.forged(r, caller, Mono{})) << "another site, though it knows the token";
  r.headers["origin"] = "http://localhost";
  r.body = "a=b";
  r.headers["content-type"] = "application/x-www-form-urlencoded";
  EXPECT_EQ(gate_.forged(r, caller, Mono{})->status, 400) << "what a form can send";
}

TEST_F(GateTest, APageThatNobodyTouchesDoesNotKeepItsSession) {
  const auto session = gate_.sessions().open(root(), "", Mono{});
  auto unattended = with_cookie(session.token);
  unattended.headers[std::string(Gate::kUnattended)] = "1";
  EXPECT_TRUE(gate_.caller_of(unattended, Mono{} + Seconds{90}, 1));
  EXPECT_FALSE(gate_.caller_of(unattended, Mono{} + Seconds{100}, 1));
}

TEST_F(GateTest, ANewFileCountsAtOnce) {
  const auto session = gate_.sessions().open(root(), "", Mono{});
  EXPECT_TRUE(gate_.caller_of(with_cookie(session.token), Mono{}, 1));
  ASSERT_TRUE(admin::change_accounts(file_, [](admin::WebAccounts& accounts) -> base::Status {
    accounts.users.clear();
    return {};
  }));
  EXPECT_FALSE(gate_.caller_of(with_cookie(session.token), Mono{}, 1)) << "who is removed is out";
  std::ofstream(file_) << "{ damaged";
  EXPECT_TRUE(gate_.accounts().users.empty());
}

TEST(Accounts, TheLastAdminStays) {
  admin::WebAccounts accounts;
  ASSERT_TRUE(admin::add_user(accounts, "a", Role::kAdmin, "0123456789", 1));
  ASSERT_TRUE(admin::add_user(accounts, "v", Role::kViewer, "0123456789", 1));
  EXPECT_EQ(admin::remove_user(accounts, "a").error().kind, base::Kind::kTemporary);
  EXPECT_FALSE(admin::set_role(accounts, "a", Role::kViewer));
  ASSERT_TRUE(admin::set_role(accounts, "v", Role::kAdmin));
  EXPECT_TRUE(admin::remove_user(accounts, "a"));
  EXPECT_EQ(admin::add_user(accounts, "x y", Role::kViewer, "0123456789", 1).error().kind, base::Kind::kUsage);
  EXPECT_EQ(admin::add_user(accounts, "short", Role::kViewer, "012345678", 1).error().kind, base::Kind::kUsage);
  EXPECT_EQ(admin::parse_accounts(admin::accounts_text(accounts))->users.size(), 1U);
}

TEST(Cookies, CannotBeReadOrSentFromElsewhere) {
  EXPECT_EQ(Gate::cookie_text("t", true), "__Host-holdfast=t; Path=/; HttpOnly; SameSite=Strict; Secure");
  EXPECT_EQ(Gate::cookie_text("t", false), "holdfast=t; Path=/; HttpOnly; SameSite=Strict");
}

}  // namespace
}  // namespace holdfast::webd
