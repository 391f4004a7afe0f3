// Notes in the old system that a member has confirmed the address.
async function verify(email, callback) {
  const axios = require("axios");
  try {
    await axios.post(
      `${configuration.MEMBERS_URL}/v1/members/confirm`,
      { email },
      { headers: { Authorization: `Bearer ${configuration.MEMBERS_TOKEN}` }, timeout: 5000 },
    );
    return callback(null, true);
  } catch (error) {
    return callback(error);
  }
}
