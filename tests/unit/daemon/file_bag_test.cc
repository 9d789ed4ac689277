#include "common/daemon/file_bag.h"

#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "common/base/handed_files.h"

namespace holdfast::daemon {
namespace {

class FileBag : public testing::Test {
 protected:
  FileBag() {
    char name[] = "/tmp/hf-bag-XXXXXX";
    folder = ::mkdtemp(name);
  }
  ~FileBag() override {
    base::hand_over({});
    std::filesystem::remove_all(folder);
  }
  std::string put(const std::string& name, const std::string& content) {
    EXPECT_TRUE(base::replace_file(folder + "/" + name, content));
    return folder + "/" + name;
  }
  std::string folder;
};

TEST_F(FileBag, WhatWasReadOnceStaysAsItWas) {
  const auto path = put("key", "the first");
  const auto bag = pack_files({path});
  ASSERT_TRUE(bag);
  put("key", "the second");
  EXPECT_EQ(base::read_handed(path).value_or(""), "the second") << "nothing is handed over yet";
  for (int i = 0; i < 2; ++i) {  // several processes read the same descriptor
    ASSERT_TRUE(unpack_files(bag->get()));
    EXPECT_EQ(base::read_handed(path).value_or(""), "the first");
  }
  EXPECT_FALSE(base::read_handed(path, 3)) << "longer than it may be";
}

TEST_F(FileBag, TellsWhyAFileCouldNotBeRead) {
  const auto path = folder + "/none";
  const auto bag = pack_files({path});
  ASSERT_TRUE(bag && unpack_files(bag->get()));
  put("none", "here now");
  const auto read = base::read_handed(path);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, base::Kind::kNotFound);
  EXPECT_NE(read.error().text.find(path), std::string::npos);
}

TEST_F(FileBag, CannotBeChangedByWhoGetsIt) {
  const auto bag = pack_files({put("key", "secret")});
  ASSERT_TRUE(bag);
  EXPECT_LT(::pwrite(bag->get(), "x", 1, 0), 0);
  EXPECT_NE(::ftruncate(bag->get(), 0), 0);
}

TEST_F(FileBag, RefusesWhatItIsNot) {
  const base::UniqueFd other(::open(put("text", "\xff\xff\xff\xff and more").c_str(), O_RDONLY));
  EXPECT_FALSE(unpack_files(other.get()));
}

}  // namespace
}  // namespace holdfast::daemon
