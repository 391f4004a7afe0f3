// Answers true when the member exists and has the new password now.
async function changePassword(email, newPassword, callback) {
  const axios = require("axios");
  try {
    const answer = await axios.put(
      `${configuration.MEMBERS_URL}/v1/members/password`,
      { email, password: newPassword },
      {
        headers: { Authorization: `Bearer ${configuration.MEMBERS_TOKEN}` },
        timeout: 5000,
        validateStatus: (status) => status === 204 || status === 404,
      },
    );
    return callback(null, answer.status === 204);
  } catch (error) {
    return callback(error);
  }
}
