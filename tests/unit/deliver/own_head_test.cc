#include "deliver/own_head.h"

#include <gtest/gtest.h>

namespace holdfast::deliver {
namespace {

TEST(OwnHead, IsOurFieldAndTheMark) {
  const std::string head = "Received: from x\r\n\tby y;\r\n z\r\nX-Holdfast-Unfiltered: yes\r\n";
  EXPECT_EQ(own_head(head + "Subject: a\r\n\r\n"), head.size());
  EXPECT_EQ(own_head(head), head.size());
  EXPECT_EQ(rescanned(head), "Received: from x\r\n\tby y;\r\n z\r\nX-Holdfast-Unfiltered: rescanned\r\n");
}

TEST(OwnHead, OfACopyHasItsMarkBefore) {
  const std::string head = "X-Holdfast-Copy-Of: 1A\r\nReceived: from x\r\nX-Holdfast-Unfiltered: yes\r\n";
  EXPECT_EQ(own_head(head + "Subject: a\r\n\r\n"), head.size());
  EXPECT_EQ(rescanned(head), "X-Holdfast-Copy-Of: 1A\r\nReceived: from x\r\nX-Holdfast-Unfiltered: rescanned\r\n");
  for (const std::string_view content : {"X-Holdfast-Copy-Of: ", "X-Holdfast-Copy-Of: 1A\r\n", "X-Holdfast-Copy-Of: 1A\r\nX-Holdfast-Unfiltered: yes\r\n"}) {
    EXPECT_EQ(own_head(content), 0u) << content;
  }
}

TEST(OwnHead, NothingElseIs) {
  for (const std::string_view content :
       {"", "Received: from x", "Received: from x\r\n", "Received: from x\r\nSubject: a\r\n", "X-Holdfast-Unfiltered: yes\r\n",
        "Received: from x\r\nReceived: y\r\nX-Holdfast-Unfiltered: yes\r\n", "Received: from x\r\nX-Holdfast-Unfiltered: yes"}) {
    EXPECT_EQ(own_head(content), 0u) << content;
  }
  EXPECT_EQ(rescanned(""), "");
  EXPECT_EQ(rescanned("Received: x\r\n"), "Received: x\r\n");
}

}  // namespace
}  // namespace holdfast::deliver
