async function changeEmail(email, newEmail, verified, callback) {
  const axios = require("axios");
  try {
    const answer = await axios.put(
      `${configuration.MEMBERS_URL}/v1/members/email`,
      { email, new_email: newEmail, confirmed: verified },
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
